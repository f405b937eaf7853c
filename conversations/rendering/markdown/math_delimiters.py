r"""Dollar signs in Markdown: the parser reads formulas only between those.

Many models write TeX's own delimiters, `\(…\)` and `\[…\]`, or bare environments, so these get dollar signs. And not
every dollar sign begins a formula: those of amounts are escaped. All spans are byte offsets into the UTF-8.
"""

import re
from bisect import bisect_right
from operator import itemgetter

from . import parser

MAX_DELIMITERS = 500
"""A block with more of TeX's delimiters than this keeps them as they are."""

MAX_ROUNDS = 10
"""Maximum searches of a block for amounts: escaping one changes which dollar signs form pairs."""

_CODE = frozenset({"Code", "CodeBlock", "InlineHtml", "HtmlBlock"})
_FORMULAS = frozenset({"InlineMath", "DisplayMath"})

# Not after a letter, as in "f\\(x\\)". The environments are those that need no delimiters in TeX.
_TEX = re.compile(
    rb"(?<![\w\\])\\\((?P<inline>.{1,2000}?)\\\)|(?<!\\)\\\[(?P<display>.{1,2000}?)\\\]"
    rb"|^[ \t]*(?P<bare>\\begin\{(?P<name>(?:equation|align|alignat|gather|multline|eqnarray)\*?)\}"
    rb".{1,2000}?\\end\{(?P=name)\})(?=[ \t]*$)",
    re.DOTALL | re.MULTILINE,
)
_NOT_IN_FORMULAS = re.compile(rb"\n[ \t]*\n|[`$]")

# "$5 (or 10$" is an amount: it has words, and nothing that only formulas have.
_ONLY_IN_FORMULAS = re.compile(rb"[\^_={}]|\\(?!\$)")
_WORD = re.compile(rb"[A-Za-z]{2}")


def normalized(source: str) -> str:
    """Markdown in which dollar signs, and nothing else, delimit formulas."""
    if _has_tex_delimiters(source):
        source = _with_dollars(source, parser.spans(source, _CODE), parser.spans(source, _FORMULAS))
    return _with_amounts_escaped(source) if "$" in source else source


def _has_tex_delimiters(source: str) -> bool:
    return "\\" in source and 0 < sum(map(source.count, ("\\(", "\\[", "\\begin{"))) <= MAX_DELIMITERS


def _with_dollars(source: str, code: list[tuple[int, int]], formulas: list[tuple[int, int]]) -> str:
    """Replace TeX's delimiters outside of `code`, and add delimiters to bare environments outside of `formulas`."""

    def replace(match: re.Match[bytes]) -> bytes:
        inline, display, bare = match["inline"], match["display"], match["bare"]
        tex, offset = inline or display or bare, match.start("bare" if bare else 0)
        if _is_within(offset, code) or _NOT_IN_FORMULAS.search(tex) or not tex.strip():
            return match[0]
        if bare:
            return match[0] if _is_within(offset, formulas) else match[0].replace(bare, b"$$%s$$" % bare)
        return b"$%s$" % inline.strip() if inline else b"$$%s$$" % display

    return _TEX.sub(replace, source.encode()).decode()


def _is_within(offset: int, spans: list[tuple[int, int]]) -> bool:
    """Whether one of the spans, which are in order, contains the offset."""
    before = bisect_right(spans, offset, key=itemgetter(0)) - 1
    return before >= 0 and offset < spans[before][1]


def _with_amounts_escaped(source: str) -> str:
    for _ in range(MAX_ROUNDS):
        changed = _escape_amounts(source, parser.spans(source, {"InlineMath"}))
        if changed == source:
            break
        source = changed
    return source


def _escape_amounts(source: str, formulas: list[tuple[int, int]]) -> str:
    """Put a backslash before each of `formulas` that begins with an amount, as in "$5-$10" and "US$5 and A$7"."""
    data, end, parts = source.encode(), 0, []
    for begin, close in formulas:
        if _is_amount(data, begin, close):
            parts.append(data[end:begin])
            end = begin
    return b"\\".join([*parts, data[end:]]).decode()


def _is_amount(data: bytes, begin: int, end: int) -> bool:
    between = data[begin + 1 : end - 1]
    if data[begin - 1 : begin].isalnum() or data[end : end + 1].isdigit():
        return True
    return between[:1].isdigit() and bool(_WORD.search(between)) and not _ONLY_IN_FORMULAS.search(between)
