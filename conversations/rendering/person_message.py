"""The HTML of a person's message."""

import re
from html import escape

_FENCED = re.compile(r"^((?:```|~~~)[^`~\n]*\n)((?:(?!```|~~~).*\n)*)((?:```|~~~)[ \t]*(?:\n|\Z))", re.MULTILINE)


def html(text: str) -> str:
    """The text as it was typed, escaped, with fenced code marked up. The fences stay in the text, but hidden."""
    out: list[str] = []
    end = 0
    for match in _FENCED.finditer(text):
        opening, code, closing = (escape(part, quote=False) for part in match.groups())
        before = escape(text[end : match.start()], quote=False)
        out += before, _hidden(opening), f"<code>{code}</code>", _hidden(closing)
        end = match.end()
    return "".join([*out, escape(text[end:], quote=False)])


def _hidden(fence: str) -> str:
    return f'<span class="fence">{fence}</span>'
