"""Formulas in TeX to MathML: latex2mathml reads them, and only elements and attributes on the lists below come out.

The TeX comes from a model. Its length bounds the time and what comes out; what cannot be read, or makes MathML that no
browser could show as meant, is None, and the page shows the source.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from html import escape, unescape
from operator import itemgetter
from typing import TYPE_CHECKING

from latex2mathml.converter import convert_to_element

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# latex2mathml takes about 12 µs a character.
MAX_LENGTH = 2_000
MAX_DEPTH = 25
MAX_ELEMENTS = 1_500
MAX_MARKS = 500
ENOUGH = 60_000
"""Characters of formulas that are read in one answer; those behind show as they were written."""

KEPT = 512
"""Formulas that are remembered: those of an unfinished block are shown again and again."""

# TeX's own marks, which many models write in place of dollar signs; not after a letter, as in "f\\(x\\)". And
# environments that need none.
_MARKED = re.compile(
    rb"(?<![\w\\])\\\((?P<inline>.{1,2000}?)\\\)|(?<!\\)\\\[(?P<display>.{1,2000}?)\\\]"
    rb"|^[ \t]*(?P<bare>\\begin\{(?P<name>(?:equation|align|alignat|gather|multline|eqnarray)\*?)\}"
    rb".{1,2000}?\\end\{(?P=name)\})(?=[ \t]*$)",
    re.DOTALL | re.MULTILINE,
)
_NOT_WITHIN = re.compile(rb"\n[ \t]*\n|[`$]")

# "$5 (or 10$" is an amount with words behind it, and nothing that only a formula has.
_OF_FORMULAS = re.compile(rb"[\^_={}]|\\(?!\$)")
_WORD = re.compile(rb"[A-Za-z]{2}")

_ANY = re.compile(r"[a-z0-9 -]{1,40}")
_LENGTH = re.compile(r"[+-]?\d{0,2}(?:\.\d{1,4})?(?:em|ex|pt|px|mu)|0")
_LENGTHS = frozenset({"width", "height", "depth", "lspace", "rspace", "voffset", "minsize", "maxsize", "linethickness"})
_OPERATOR = frozenset({"stretchy", "fence", "form", "separator", "minsize", "maxsize", "lspace", "rspace"})
_SCRIPTED = frozenset({"accent", "accentunder", "movablelimits"})

# Element → its attributes.
ELEMENTS: dict[str, frozenset[str]] = {
    "math": frozenset({"display"}),
    "menclose": frozenset({"notation"}),
    "mo": _OPERATOR | _SCRIPTED,
    "mover": _SCRIPTED,
    "munder": _SCRIPTED,
    "munderover": _SCRIPTED,
    "mfrac": frozenset({"linethickness"}),
    "mpadded": frozenset({"width", "height", "depth", "lspace", "voffset"}),
    "mspace": frozenset({"width"}),
    "mstyle": frozenset({"displaystyle", "scriptlevel"}),
    "mtable": frozenset({"displaystyle", "columnalign"}),
    "mtd": frozenset({"columnalign"}),
    "mi": frozenset({"mathvariant"}),
    **dict.fromkeys(
        ("mmultiscripts", "mn", "mphantom", "mprescripts", "mroot", "mrow", "ms", "msqrt", "msub", "msubsup"),
        frozenset(),
    ),
    **dict.fromkeys(("msup", "mtext", "mtr", "none"), frozenset()),
}
_CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "mover": 2, "munder": 2, "munderover": 3}


# What begins and ends the environments that are understood; the reader knows the names in braces. All others lose their
# rows and columns there, so they are shown as they were written.
_ENVIRONMENTS = {
    **dict.fromkeys(("array", "cases", "matrix", "smallmatrix", "split", "align*"), None),
    **dict.fromkeys((f"{kind}matrix" for kind in "pbBvV"), None),
    **dict.fromkeys(("equation", "equation*"), ("", "")),
    **dict.fromkeys(("align", "aligned"), (r"\begin{align*}", r"\end{align*}")),
    **dict.fromkeys(("alignat", "alignat*", "alignedat"), (r"\begin{align*}", r"\end{align*}")),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*"), (r"\begin{array}{c}", r"\end{array}")),
    **dict.fromkeys(("eqnarray", "eqnarray*"), (r"\begin{array}{rcl}", r"\end{array}")),
    "dcases": (r"\begin{cases}", r"\end{cases}"),
}
_ENVIRONMENT = re.compile(r"\\(begin|end) ?\{([a-zA-Z]+\*?)\}(?:(?<=at\})\{\d+\}|(?<=at\*\})\{\d+\}|\[[tbc]\])?")
_ROW = re.compile(r"(?<!\\)((?:\\\\)*)\\\\(?:\*|\*?[ ]?\[-?\d*\.?\d+ ?(?:pt|em|ex|mm|cm|in|mu)\])")
_ROWS_END = re.compile(r"(?:\\\\\s*)+\Z")
_ONLY_FOR_NUMBERS = re.compile(r"\\label ?\{[^{}]*\}|\\(?:notag|nonumber)(?![a-zA-Z])")
_TAG = re.compile(r"\\tag\*? ?\{([^{}]*)\}")


class _UnreadableError(Exception):
    """Not TeX that this can show."""


@lru_cache(KEPT)
def formula(tex: str, *, display: bool) -> str | None:
    """`<math>…</math>`, or None if `tex` cannot be shown as a formula. `display`: in lines of its own."""
    if len(tex) > MAX_LENGTH:
        return None
    try:
        element = convert_to_element(_understood(tex), display="block" if display else "inline")
        written: list[str] = []
        _write(element, written, MAX_DEPTH)
    except Exception:  # noqa: BLE001 – it raises errors of many kinds, RecursionError among them: none is the page's
        return None
    return "".join(written)


def _understood(tex: str) -> str:
    """The same formula in the words that the reader knows. Raises _UnreadableError."""
    tex = _ROW.sub(r"\1" + r"\\\\", _ONLY_FOR_NUMBERS.sub("", tex))
    tex = _TAG.sub(r"\\qquad\\text{(\1)}", tex)
    tex = _ENVIRONMENT.sub(_environment, tex)
    tex = _ROWS_END.sub("", tex)
    if "\\\\" in tex and "\\begin" not in tex and "\\substack" not in tex:  # rows without an environment
        tex = rf"\begin{{array}}{{c}}{tex}\end{{array}}"
    return tex


def _environment(match: re.Match[str]) -> str:
    what, name = match.groups()
    if name not in _ENVIRONMENTS:
        raise _UnreadableError
    known = _ENVIRONMENTS[name]
    if known is None:
        return f"\\{what}{{{name}}}"
    return known[what == "end"]


def _write(element: Element, written: list[str], depth: int) -> None:
    name, children, text = element.tag, list(element), unescape(element.text or "")
    if element.get("linebreak"):  # rows that no table holds would stand in one line
        raise _UnreadableError
    if name not in ELEMENTS or not depth or len(written) > MAX_ELEMENTS:
        raise _UnreadableError
    if _CHILDREN.get(name, len(children)) != len(children) or _is_unknown(name, text):
        raise _UnreadableError
    written.append(f"<{name}{_attributes(name, element)}>{escape(text)}")
    for child in children:
        _write(child, written, depth - 1)
    written.append(f"</{name}>")


def _is_unknown(name: str, text: str) -> bool:
    """A command that was not understood is left as it stands, and so is a mark between columns where there are none."""
    return name != "mtext" and ((len(text) > 1 and text.startswith("\\")) or text == "&")


def _attributes(name: str, element: Element) -> str:
    kept = ((key, value) for key, value in element.attrib.items() if key in ELEMENTS[name])
    return "".join(
        f' {key}="{value}"' for key, value in kept if (_LENGTH if key in _LENGTHS else _ANY).fullmatch(value)
    )


def has_tex_marks(source: str) -> bool:
    return "\\" in source and 0 < sum(map(source.count, ("\\(", "\\[", "\\begin{"))) <= MAX_MARKS


def with_dollars(source: str, code: list[tuple[int, int]], formulas: list[tuple[int, int]]) -> str:
    """Markdown with dollar signs in place of TeX's own marks, except in `code`, and around environments that have
    none, except in `formulas` (places in the UTF-8)."""

    def change(match: re.Match[bytes]) -> bytes:
        inline, display, bare = match["inline"], match["display"], match["bare"]
        tex, place = inline or display or bare, match.start("bare" if bare else 0)
        if _is_within(place, code) or _NOT_WITHIN.search(tex) or not tex.strip():
            return match[0]
        if bare:
            return match[0] if _is_within(place, formulas) else match[0].replace(bare, b"$$%s$$" % bare)
        return b"$%s$" % inline.strip() if inline else b"$$%s$$" % display

    return _MARKED.sub(change, source.encode()).decode()


def _is_within(place: int, spans: list[tuple[int, int]]) -> bool:
    """Whether one of the spans, which are in order, holds this place."""
    before = bisect_right(spans, place, key=itemgetter(0)) - 1
    return before >= 0 and place < spans[before][1]


def with_amounts_escaped(source: str, formulas: list[tuple[int, int]]) -> str:
    """Markdown with a backslash before each of `formulas` (places in the UTF-8) that begins with an amount, as in
    "$5-$10" and "US$5 and A$7"."""
    data, end, pieces = source.encode(), 0, []
    for begin, close in formulas:
        if _is_money(data, begin, close):
            pieces.append(data[end:begin])
            end = begin
    return b"\\".join([*pieces, data[end:]]).decode()


def _is_money(data: bytes, begin: int, end: int) -> bool:
    between = data[begin + 1 : end - 1]
    if data[begin - 1 : begin].isalnum() or data[end : end + 1].isdigit():
        return True
    return between[:1].isdigit() and bool(_WORD.search(between)) and not _OF_FORMULAS.search(between)
