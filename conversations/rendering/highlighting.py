"""Code to coloured HTML: Pygments' short class names, no inline styles."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType

from . import time_limit

# Pygments takes milliseconds per kilobyte: longer code stays plain.
MAX_CODE = 6_000
# Some lexers are quadratic in the number of lines, or of characters in a line.
MAX_LINES = 400
MAX_LINE = 500
PATIENCE = 0.25
"""Seconds of processor time for one block; the usual one of that size takes a fifth of it."""

ENOUGH = 150_000
"""Characters of code that are coloured in one answer: reading it anew takes two seconds then, not ten."""

COSTLY = ENOUGH // 3
"""Characters that a block counts for which was not coloured in time. The third such is the last that is tried."""

# Lexers are regular expressions at work on hostile text: only languages that people ask for, each of them tried
# against pathological input by the tests, and none that takes a tenth of a second to be loaded.
_NAMES = """
    bash c c++ cpp cs csharp css dart diff docker dockerfile elixir erlang go golang graphql haskell hcl html ini
    java javascript js json kotlin lua make makefile nginx objective-c ocaml php powershell proto protobuf
    py python python3 r rb rs ruby rust scss sh shell sql swift terraform toml ts tsx typescript vim xml
    yaml yml zig zsh
"""
LANGUAGES = frozenset(_NAMES.split())
# What answers are mostly in.
USUAL = (
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
# Pygments' own lexer for Java needs seconds for a few kilobytes of plain words.
_BORROWED = {"java": "javascript"}
# Of the short names that Pygments gives to kinds of tokens those that static/css/code.css colours: the only classes
# that a span may have. The rest, mostly names and blanks, is more than half of all tokens.
_WITH = "bp dl fm gd ge gh gi gr gs gu il na nb nc nd ne nf nl nn no nt ow vc vg vi"
CLASSES = frozenset(
    name for name in STANDARD_TYPES.values() if name.startswith(("c", "k", "m", "s")) or name in _WITH.split()
)

_LANGUAGE = re.compile(r"[\w+#.-]{1,32}", re.ASCII)


def language(info: str) -> str:
    """The language that a fence's info string names, in lower case; empty when it names none."""
    first = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    return first if _LANGUAGE.fullmatch(first) else ""


def code_block(code: str, name: str, coloured: str | None = None) -> str:
    """One code block. `name` comes from `language`; `coloured`: its HTML, if it has colours."""
    opening = f'<pre><code class="language-{name}">' if name else "<pre><code>"
    return f"{opening}{escape(code, quote=False) if coloured is None else coloured}</code></pre>\n"


def can_colour(code: str, name: str) -> bool:
    """Whether it is worth trying: that takes milliseconds."""
    if name not in LANGUAGES or len(code) > MAX_CODE or code.count("\n") > MAX_LINES:
        return False
    return all(len(line) <= MAX_LINE for line in code.split("\n"))


def coloured_block(code: str, name: str) -> tuple[str, int]:
    """A block that `can_colour`, and how much of `ENOUGH` it has used."""
    coloured, cost = _coloured(code, name)
    return code_block(code, name, coloured), cost


@lru_cache(256)  # a block within one that is unfinished is shown again and again
def _coloured(code: str, name: str) -> tuple[str | None, int]:
    try:
        with time_limit.piece(PATIENCE):
            return _html(code, _lexer(name)), len(code)
    except time_limit.TooLongError:
        return None, COSTLY
    except Exception:  # noqa: BLE001 – a fault of a lexer costs the colour, not the page
        return None, len(code)


def _html(code: str, lexer: Lexer) -> str:
    out, before = [], ""
    for _place, kind, text in lexer.get_tokens_unprocessed(code):
        name = _class(kind)
        if name != before:
            out.append("</span>" if before else "")
            out.append(f'<span class="{name}">' if name else "")
            before = name
        out.append(escape(text, quote=False))
    out.append("</span>" if before else "")
    return "".join(out)


@cache
def _class(kind: _TokenType) -> str:
    """The class of the nearest kind above that has a name of its own."""
    while kind not in STANDARD_TYPES and kind.parent is not None:
        kind = kind.parent
    name = STANDARD_TYPES.get(kind, "")
    return name if name in CLASSES else ""


def load(name: str) -> None:
    """Load the lexer of a language: it takes up to a tenth of a second the first time."""
    next(iter(_lexer(name).get_tokens("x")), None)


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(_BORROWED.get(name, name), stripnl=False, ensurenl=False)
