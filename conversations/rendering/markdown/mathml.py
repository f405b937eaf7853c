"""Formulas from TeX to MathML: latex2mathml reads them, and only the elements and attributes listed below come out.

The TeX comes from a model. Limits on its length bound the time and the output. For a formula that cannot be read, or
whose MathML no browser would show as meant, the result is None, and the page shows the source.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING

from latex2mathml.converter import convert_to_element

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_LENGTH = 2_000
"""Characters of one formula; latex2mathml takes about 12 µs for each."""

MAX_DEPTH = 25
MAX_ELEMENTS = 1_500
"""Limits on the MathML of one formula. `MAX_ELEMENTS` counts tags."""

MAX_PER_ANSWER = 60_000
"""Characters of formulas that are read in one answer. Formulas beyond it show as they were written."""

CACHE_SIZE = 512
"""Formulas kept in memory: those of an unfinished block are rendered again and again."""

_VALUE = re.compile(r"[a-z0-9 -]{1,40}")
_LENGTH = re.compile(r"[+-]?\d{0,2}(?:\.\d{1,4})?(?:em|ex|pt|px|mu)|0")
_LENGTHS = frozenset({"width", "height", "depth", "lspace", "rspace", "voffset", "minsize", "maxsize", "linethickness"})
_OPERATOR = frozenset({"stretchy", "fence", "form", "separator", "minsize", "maxsize", "lspace", "rspace"})
_SCRIPTED = frozenset({"accent", "accentunder", "movablelimits"})

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
"""The allowed elements and their attributes."""

# How many children these elements need.
_CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "mover": 2, "munder": 2, "munderover": 3}

# The environments that can be shown, and what replaces their begin and end; None for those that latex2mathml knows. It
# would drop the rows and columns of all others, so those show as they were written.
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
_NUMBERING = re.compile(r"\\label ?\{[^{}]*\}|\\(?:notag|nonumber)(?![a-zA-Z])")
_TAG = re.compile(r"\\tag\*? ?\{([^{}]*)\}")


class _UnreadableError(Exception):
    """The TeX cannot be shown as a formula."""


@lru_cache(CACHE_SIZE)
def formula(tex: str, *, display: bool) -> str | None:
    """`<math>…</math>`, or None if `tex` cannot be shown as a formula. `display`: on lines of its own."""
    if len(tex) > MAX_LENGTH:
        return None
    try:
        element = convert_to_element(_rewritten(tex), display="block" if display else "inline")
        written: list[str] = []
        _write(element, written, MAX_DEPTH)
    except Exception:  # noqa: BLE001  it raises many kinds of errors, even RecursionError; none may reach the page
        return None
    return "".join(written)


def _rewritten(tex: str) -> str:
    """The same formula in the commands that latex2mathml knows. Raises _UnreadableError."""
    tex = _ROW.sub(r"\1" + r"\\\\", _NUMBERING.sub("", tex))
    tex = _TAG.sub(r"\\qquad\\text{(\1)}", tex)
    tex = _ENVIRONMENT.sub(_environment, tex)
    tex = _ROWS_END.sub("", tex)
    if "\\\\" in tex and "\\begin" not in tex and "\\substack" not in tex:  # rows without an environment
        tex = rf"\begin{{array}}{{c}}{tex}\end{{array}}"
    return tex


def _environment(match: re.Match[str]) -> str:
    command, name = match.groups()
    if name not in _ENVIRONMENTS:
        raise _UnreadableError
    replacement = _ENVIRONMENTS[name]
    if replacement is None:
        return f"\\{command}{{{name}}}"
    return replacement[command == "end"]


def _write(element: Element, written: list[str], depth: int) -> None:
    """Append the tags and text of `element`, in which `depth` levels are allowed. Raises _UnreadableError."""
    name, children, text = element.tag, list(element), unescape(element.text or "")
    if element.get("linebreak"):  # rows outside of a table would share one line
        raise _UnreadableError
    if name not in ELEMENTS or not depth or len(written) > MAX_ELEMENTS:
        raise _UnreadableError
    if _CHILDREN.get(name, len(children)) != len(children) or _is_unread(name, text):
        raise _UnreadableError
    written.append(f"<{name}{_attributes(name, element)}>{escape(text)}")
    for child in children:
        _write(child, written, depth - 1)
    written.append(f"</{name}>")


def _is_unread(name: str, text: str) -> bool:
    """Whether latex2mathml has left a command, or a column separator outside of a table, as text."""
    return name != "mtext" and ((len(text) > 1 and text.startswith("\\")) or text == "&")


def _attributes(name: str, element: Element) -> str:
    kept = ((key, value) for key, value in element.attrib.items() if key in ELEMENTS[name])
    return "".join(
        f' {key}="{value}"' for key, value in kept if (_LENGTH if key in _LENGTHS else _VALUE).fullmatch(value)
    )
