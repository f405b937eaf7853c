"""Code to coloured HTML: spans with Pygments' short class names, no inline styles."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType

from . import cpu_limit

MAX_CODE = 6_000
"""Characters of a code block. Pygments takes milliseconds for each thousand, so longer code stays plain."""

MAX_LINES = 400
MAX_LINE = 500
"""Lines of a code block, and characters of a line: some lexers are quadratic in one or the other."""

TIMEOUT = 0.25
"""Seconds of processor time for one block. An ordinary block of the maximum size takes a fifth of it."""

MAX_PER_ANSWER = 150_000
"""Characters of code that are coloured in one answer, so that rendering it again takes two seconds, not ten."""

TIMEOUT_COST = MAX_PER_ANSWER // 3
"""Characters that count as used when a block was not coloured in time: after the third such block, none is tried."""

# Lexers run regular expressions on hostile text. So only languages that people ask for, whose lexers the tests try with
# pathological input and which load in less than a tenth of a second.
_NAMES = """
    bash c c++ cpp cs csharp css dart diff docker dockerfile elixir erlang go golang graphql haskell hcl html ini
    java javascript js json kotlin lua make makefile nginx objective-c ocaml php powershell proto protobuf
    py python python3 r rb rs ruby rust scss sh shell sql swift terraform toml ts tsx typescript vim xml
    yaml yml zig zsh
"""
LANGUAGES = frozenset(_NAMES.split())
COMMON = (
    "python",
    "javascript",
    "typescript",
    "bash",
    "json",
    "html",
    "css",
    "sql",
    "java",
    "c",
    "cpp",
    "go",
    "rust",
    "yaml",
)
"""The languages of most answers, whose lexers are loaded ahead."""

# Languages that use the lexer of another: Pygments' own for Java takes seconds for a few kilobytes of plain words.
_LEXERS = {"java": "javascript"}
# Short names of token types besides comments, keywords, numbers and strings.
_OTHERS = "bp dl fm gd ge gh gi gr gs gu il na nb nc nd ne nf nl nn no nt ow vc vg vi"
CLASSES = frozenset(
    name for name in STANDARD_TYPES.values() if name.startswith(("c", "k", "m", "s")) or name in _OTHERS.split()
)
"""The classes that a span may have: the token types that static/css/code.css colours. More than half of all tokens,
mostly names and blanks, get no span."""

_LANGUAGE = re.compile(r"[\w+#.-]{1,32}", re.ASCII)


def language(info: str) -> str:
    """The language in a fence's info string, in lower case; "" if there is none."""
    first = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    return first if _LANGUAGE.fullmatch(first) else ""


def code_block(code: str, name: str, coloured: str | None = None) -> str:
    """A code block. `name` comes from `language`. `coloured`: the HTML of the code; without it the block is plain."""
    opening = f'<pre><code class="language-{name}">' if name else "<pre><code>"
    return f"{opening}{escape(code, quote=False) if coloured is None else coloured}</code></pre>\n"


def can_colour(code: str, name: str) -> bool:
    """Whether `coloured_block`, which takes milliseconds, is worth it: a known language, and not too much code."""
    if name not in LANGUAGES or len(code) > MAX_CODE or code.count("\n") > MAX_LINES:
        return False
    return all(len(line) <= MAX_LINE for line in code.split("\n"))


def coloured_block(code: str, name: str) -> tuple[str, int]:
    """A code block in colours, and how much of `MAX_PER_ANSWER` it used. Plain if colouring fails or times out."""
    coloured, cost = _coloured(code, name)
    return code_block(code, name, coloured), cost


@lru_cache(256)  # code within an unfinished block is rendered again and again
def _coloured(code: str, name: str) -> tuple[str | None, int]:
    try:
        with cpu_limit.inner(TIMEOUT):
            return _html(code, _lexer(name)), len(code)
    except cpu_limit.CpuLimitError:
        return None, TIMEOUT_COST
    except Exception:  # noqa: BLE001  a bug in a lexer costs the colours, not the page
        return None, len(code)


def _html(code: str, lexer: Lexer) -> str:
    out, previous = [], ""
    for _offset, kind, text in lexer.get_tokens_unprocessed(code):
        name = _class(kind)
        if name != previous:
            out.append("</span>" if previous else "")
            out.append(f'<span class="{name}">' if name else "")
            previous = name
        out.append(escape(text, quote=False))
    out.append("</span>" if previous else "")
    return "".join(out)


@cache
def _class(kind: _TokenType) -> str:
    """The class of a token type, or of its nearest ancestor with a short name; "" for no span."""
    while kind not in STANDARD_TYPES and kind.parent is not None:
        kind = kind.parent
    name = STANDARD_TYPES.get(kind, "")
    return name if name in CLASSES else ""


def load(name: str) -> None:
    """Load the lexer of a language, which takes up to a tenth of a second the first time."""
    next(iter(_lexer(name).get_tokens("x")), None)


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(_LEXERS.get(name, name), stripnl=False, ensurenl=False)
