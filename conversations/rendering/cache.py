"""HTML of answers that have ended, kept in memory: they never change, and code takes milliseconds to be coloured."""

import uuid
from collections import OrderedDict
from threading import Lock

from . import worker

SIZE = 16_000_000
"""Characters of HTML that a process keeps; those that were not shown for the longest time go first."""


class Rendered:
    """May be used from any thread."""

    def __init__(self, size: int = SIZE) -> None:
        self._free = size
        self._kept: OrderedDict[uuid.UUID, str] = OrderedDict()
        self._lock = Lock()

    def html(self, message: uuid.UUID, content: str) -> str:
        """The safe HTML of an answer whose text is `content` and stays so. May block for some seconds."""
        with self._lock:
            html = self._kept.pop(message, None)
            if html is not None:
                self._kept[message] = html
                return html
        answer, done = worker.growing(content, last=True)
        if done:
            self.keep(message, answer.finished)
        return answer.finished

    def keep(self, message: uuid.UUID, html: str) -> None:
        """Keep the HTML of an answer that has ended."""
        with self._lock:
            self._free -= len(html) - len(self._kept.pop(message, ""))
            self._kept[message] = html
            while self._free < 0 and self._kept:
                self._free += len(self._kept.popitem(last=False)[1])


rendered = Rendered()
