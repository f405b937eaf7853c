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
from dataclasses import dataclass
from itertools import pairwise

import pyromark

from . import blocks as block_rendering

# PostgreSQL takes no NUL, UTF-8 no lone surrogate.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ENDS_BLANK = re.compile(rb"\n[ \t]*\n\Z")


QUICK = 2_000
"""Characters that the event loop renders itself, if there is nothing in them that takes long: most flushes."""


@dataclass(frozen=True, slots=True)
class Work:
    """Markdown to be rendered: `source`, behind blocks with this `state`. `cut`: blocks may have been finished since
    the last time. `last`: nothing follows."""

    source: str
    state: block_rendering.State
    cut: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What became of it: `done` characters are finished, as `html`; the rest looks like `tail` for now."""

    done: int
    html: str
    tail: str
    state: block_rendering.State


def step(work: Work, *, quick: bool = False) -> Step:
    """Do the work; a pure function, in whatever process. `quick`: raises NotQuickError if it takes long."""
    progress = block_rendering.Progress(*work.state)
    finished = _finished(work)
    html = "".join(block_rendering.block(source, progress, final=True, quick=quick) for source in finished)
    state, done = progress.state, sum(map(len, finished))
    rest = work.source[done:]
    tail = block_rendering.block(rest, progress, final=False, quick=quick) if rest else ""
    return Step(done, html, tail, state)


def _finished(work: Work) -> list[str]:
    """All blocks but the last, which may go on; a line is looked at only when it is complete."""
    if work.last:
        return blocks(work.source)
    return blocks(work.source[: work.source.rfind("\n") + 1])[:-1] if work.cut else []


def quick(work: Work) -> Step | None:
    """The same if it takes no time, else None."""
    if len(work.source) > QUICK:
        return None
    try:
        return step(work, quick=True)
    except block_rendering.NotQuickError:
        return None


def plain(work: Work) -> Step:
    """What is shown if the work cannot be done: the text as it was written."""
    html = block_rendering.as_code(work.source) if work.source else ""
    return Step(len(work.source), html, "", work.state) if work.last else Step(0, "", html, work.state)


def render(text: str) -> str:
    """The safe HTML of `text`, however long that takes. Raises nothing, whatever the text."""
    return Growing(text).finish()


class Growing:
    """One answer as it arrives: its finished blocks are given once, its unfinished tail again and again.

    `work` gives what there is to do, which may be done anywhere, and `took` takes the result; more may be fed
    meanwhile. `flush` and `finish` do both at once.
    """

    def __init__(self, text: str = "") -> None:
        self._html: list[str] = []
        self._source = ""  # of the tail
        self._tail = ""  # HTML
        self._fed: list[str] = []  # since the last work
        self._state = block_rendering.Progress().state
        self._cut = False
        self.feed(text)

    def feed(self, text: str) -> None:
        """Add `text`. Renders nothing."""
        if text:
            self._fed.append(text)

    def work(self, *, last: bool = False) -> Work:
        """All that was fed and is not finished."""
        added = self._take(last=last)
        self._source += added
        self._cut = self._cut or "\n" in added
        return Work(self._source, self._state, self._cut, last)

    def took(self, step: Step) -> tuple[str, str]:
        """Take the result of the last work, and give the HTML of the blocks that it finished, and of the tail."""
        self._source = self._source[step.done :]
        self._state, self._cut, self._tail = step.state, False, step.tail
        if step.html:
            self._html.append(step.html)
        return step.html, step.tail

    def flush(self) -> tuple[str, str]:
        """The HTML of the blocks that were finished since the last flush, and of the unfinished tail."""
        return self.took(step(self.work()))

    def finish(self) -> str:
        """The HTML of everything that no flush has given as finished. Nothing may be fed afterwards."""
        return self.took(step(self.work(last=True)))[0]

    @property
    def finished(self) -> str:
        """The HTML of all finished blocks."""
        if len(self._html) > 1:
            self._html = ["".join(self._html)]
        return self._html[0] if self._html else ""

    @property
    def tail(self) -> str:
        """The HTML of the unfinished tail as of the last flush."""
        return self._tail

    def whole(self) -> str:
        """Both, the tail in an element of its own."""
        return f"{self.finished}<div data-tail>{self.tail}</div>"

    def _take(self, *, last: bool) -> str:
        """What was fed since the last time, with line feeds as the only line ends."""
        text = _UNSTORABLE.sub("", "".join(self._fed))
        self._fed.clear()
        if text.endswith("\r") and not last:
            # The first half of CR LF, perhaps.
            text = text[:-1]
            self._fed.append("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")


def blocks(text: str) -> list[str]:
    """`text` cut where its top-level blocks begin. Joined again, the parts are `text`."""
    data = text.encode()
    try:
        cuts = [0, *_cuts(text, data), len(data)]
    except BaseException as error:
        if not block_rendering.is_panic(error):
            raise
        return [text]
    return [data[begin:end].decode() for begin, end in pairwise(cuts) if begin < end]


def _cuts(text: str, data: bytes) -> Iterator[int]:
    """Where the blocks of `text` begin, as places in `data`, its UTF-8. The first is not among them if it is at 0."""
    last, depth, end = 0, 0, 0
    for event, span in pyromark.events_with_range(text, options=block_rendering.OPTIONS):
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
