"""A Markdown text that is rendered as it arrives.

The text is cut into top-level blocks, and each is rendered on its own. Complete and growing texts go through the same
code, so a page shows the same live and after a reload. Two consequences:

- the last block is unfinished until the text is: the next line may still belong to it;
- a link definition (`[label]: address`) takes effect only within its own block and the one directly after it, and shows
  as text.
"""

from __future__ import annotations

import re

from . import task as tasks
from .progress import Progress
from .task import Result, Task

# PostgreSQL stores no NUL, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def render(text: str) -> str:
    """The safe HTML of a complete text, however long that takes. Raises nothing."""
    return MarkdownStream(text).finish()


class MarkdownStream:
    """One answer as it arrives: finished blocks are returned once, the unfinished tail again and again.

    `task` returns what there is to render, which may happen anywhere, and `apply` takes the result; text may be fed
    in between. `flush` and `finish` do both at once. Not for use by several threads at a time.
    """

    def __init__(self, text: str = "") -> None:
        self._html: list[str] = []
        self._source = ""  # of the tail
        self._tail = ""  # HTML
        self._fed: list[str] = []  # since the last task
        self._state = Progress().state
        self._may_finish_blocks = False
        self.feed(text)

    def feed(self, text: str) -> None:
        """Add `text`. Renders nothing."""
        if text:
            self._fed.append(text)

    def task(self, *, last: bool = False) -> Task:
        """Everything that was fed and is not finished yet. `last`: nothing more will be fed."""
        added = self._take_fed(last=last)
        self._source += added
        self._may_finish_blocks = self._may_finish_blocks or "\n" in added
        return Task(self._source, self._state, self._may_finish_blocks, last)

    def apply(self, result: Result) -> tuple[str, str]:
        """Take the result of the last task. Returns the HTML of the blocks that it finished, and of the tail."""
        self._source = self._source[result.done :]
        self._state, self._may_finish_blocks, self._tail = result.state, False, result.tail
        if result.html:
            self._html.append(result.html)
        return result.html, result.tail

    def flush(self) -> tuple[str, str]:
        """Render. Returns the HTML of the blocks finished since the last flush, and of the unfinished tail."""
        return self.apply(tasks.perform(self.task()))

    def finish(self) -> str:
        """Render the rest. Returns the HTML of all that no flush has returned as finished. Nothing may be fed
        afterwards."""
        return self.apply(tasks.perform(self.task(last=True)))[0]

    @property
    def finished(self) -> str:
        """The HTML of all finished blocks."""
        if len(self._html) > 1:
            self._html = ["".join(self._html)]
        return self._html[0] if self._html else ""

    @property
    def tail(self) -> str:
        """The HTML of the unfinished tail as of the last result."""
        return self._tail

    def whole(self) -> str:
        """The HTML of both, the tail in an element of its own."""
        return f"{self.finished}<div data-tail>{self.tail}</div>"

    def _take_fed(self, *, last: bool) -> str:
        """The text fed since the last task, with line feeds as the only line ends."""
        text = _UNSTORABLE.sub("", "".join(self._fed))
        self._fed.clear()
        if text.endswith("\r") and not last:
            # It may be the first half of CR LF.
            text = text[:-1]
            self._fed.append("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")
