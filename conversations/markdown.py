"""Markdown from models to safe HTML, whole or as it grows.

The text is cut into top-level blocks, and every block is rendered on its own. Whole and growing text go through the
same code, so that a page shows the same live and after a reload. Two consequences:

- the last block is unfinished until the text is: the next line may still belong to it;
- a link definition (`[label]: address`) works only within its own block and the one it directly follows. It shows
  as text wherever it stands.

Where a block begins depends only on the lines up to there, never on how the text was fed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pyromark

from conversations import markup

# PostgreSQL takes no NUL, UTF-8 no lone surrogate.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ENDS_BLANK = re.compile(rb"\n[ \t]*\n\Z")


def render(text: str) -> str:
    """The safe HTML of `text`. Raises nothing, whatever the text."""
    return Growing(text).finish()


class Growing:
    """One answer as it arrives: its finished blocks are given once, its unfinished tail again and again."""

    def __init__(self, text: str = "") -> None:
        self._finished: list[str] = []  # HTML
        self._tail = ""  # Markdown
        self._tail_html = ""
        self._fed: list[str] = []  # since the last flush
        self._outline = markup.Outline()
        self.feed(text)

    def feed(self, text: str) -> None:
        """Add `text`. Renders nothing."""
        if text:
            self._fed.append(text)

    def flush(self) -> tuple[str, str]:
        """The HTML of the blocks that were finished since the last flush, and of the unfinished tail."""
        added = self._take()
        if not added:
            return "", self._tail_html
        self._tail += added
        html = self._cut() if "\n" in added else ""
        self._tail_html = markup.block(self._tail, self._outline.copy(), final=False)
        return html, self._tail_html

    def finish(self) -> str:
        """The HTML of everything that no flush has given as finished. Nothing may be fed afterwards."""
        self._tail += self._take(last=True)
        html = self._give(blocks(self._tail))
        self._tail = self._tail_html = ""
        return html

    @property
    def finished(self) -> str:
        """The HTML of all finished blocks."""
        return "".join(self._finished)

    @property
    def tail(self) -> str:
        """The HTML of the unfinished tail as of the last flush."""
        return self._tail_html

    def whole(self) -> str:
        """Both, the tail in an element of its own."""
        return f"{self.finished}<div data-tail>{self.tail}</div>"

    def _take(self, *, last: bool = False) -> str:
        """What was fed since the last time, with line feeds as the only line ends."""
        text = _UNSTORABLE.sub("", "".join(self._fed))
        self._fed.clear()
        if text.endswith("\r") and not last:
            # The first half of CR LF, perhaps.
            text = text[:-1]
            self._fed.append("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _cut(self) -> str:
        """Finish all blocks of the tail but the last. A line is looked at only when it is complete."""
        *done, _ = blocks(self._tail[: self._tail.rindex("\n") + 1]) or [""]
        self._tail = self._tail[sum(map(len, done)) :]
        return self._give(done)

    def _give(self, done: list[str]) -> str:
        html = "".join(markup.block(source, self._outline, final=True) for source in done)
        if html:
            self._finished.append(html)
        return html


def blocks(text: str) -> list[str]:
    """`text` cut where its top-level blocks begin. Joined again, the parts are `text`."""
    data = text.encode()
    try:
        cuts = [0, *_cuts(text, data), len(data)]
    except BaseException as error:
        if not markup.is_panic(error):
            raise
        return [text]
    return [data[begin:end].decode() for begin, end in pairwise(cuts) if begin < end]


def _cuts(text: str, data: bytes) -> Iterator[int]:
    """Where the blocks of `text` begin, as places in `data`, its UTF-8. The first is not among them if it is at 0."""
    last, depth, end = 0, 0, 0
    for event, span in pyromark.events_with_range(text, options=markup.OPTIONS):
        if depth == 0:
            line = data.rfind(b"\n", 0, span["start"]) + 1
            if end <= line and last < line and _may_cut(data, end, line):
                yield line
                last = line
            end = max(end, span["end"])
        if isinstance(event, dict):
            depth += ("Start" in event) - ("End" in event)


def _may_cut(data: bytes, end: int, line: int) -> bool:
    """Whether the block that begins at `line`, after another that ended at `end`, stays one whatever follows.

    Only link definitions look back: `[a]:` is a paragraph until the next line makes it a definition, and the line
    after a definition is a paragraph until its last line makes it the title. So neither is cut off from what is
    before it; a blank line ends both.
    """
    if data[line : line + 4].lstrip(b" ").startswith(b"["):
        return False
    between = data[end:line]
    return not between.strip() or _ENDS_BLANK.search(between) is not None
