"""The few HTML elements that models write within lines, mostly in table cells: `<br>`, `<sub>`, `<sup>`, `<kbd>`."""

import re
from html import escape

MAX_OPEN = 8
"""Elements that may be open at the same time."""

_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)(sub|sup|kbd)>", re.IGNORECASE)


def is_line_break(tag: str) -> bool:
    return _BREAK.fullmatch(tag) is not None


class InlineTags:
    """Pairs the tags of one block. A tag shows as text until its end tag follows at the same depth: only then does the
    earlier part of `out`, the HTML written so far, become a tag."""

    def __init__(self, out: list[str]) -> None:
        self._out = out
        self._open: list[tuple[str, int, int]] = []  # name, depth, index in `out`

    def html(self, tag: str, depth: int) -> str:
        """The HTML of `tag`, which is about to be appended to `out`, within `depth` elements."""
        match = _TAG.fullmatch(tag)
        if match is None:
            return "<br>\n" if is_line_break(tag) else escape(tag, quote=False)
        name = match[2].lower()
        if not match[1]:
            if len(self._open) < MAX_OPEN:
                self._open.append((name, depth, len(self._out)))
        elif self._open and self._open[-1][:2] == (name, depth):
            self._out[self._open.pop()[2]] = f"<{name}>"
            return f"</{name}>"
        return escape(tag, quote=False)

    def leave(self, depth: int) -> None:
        """Forget the tags that were opened deeper than `depth`."""
        while self._open and self._open[-1][1] > depth:
            self._open.pop()
