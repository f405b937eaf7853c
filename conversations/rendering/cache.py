"""HTML of answers that have ended, kept in memory: it never changes, and colouring code takes milliseconds."""

import uuid
from collections import OrderedDict
from threading import Lock

from . import worker

MAX_SIZE = 16_000_000
"""Characters of HTML that a process keeps. The least recently shown answers go first."""


class HtmlCache:
    """HTML by message, at most `size` characters. May be used from any thread."""

    def __init__(self, size: int = MAX_SIZE) -> None:
        self._free = size
        self._html: OrderedDict[uuid.UUID, str] = OrderedDict()
        self._lock = Lock()

    def get_or_render(self, message: uuid.UUID, content: str) -> str:
        """The safe HTML of an answer whose text is `content` and will not change. May block for some seconds."""
        with self._lock:
            html = self._html.pop(message, None)
            if html is not None:
                self._html[message] = html
                return html
        answer, succeeded = worker.render(content, last=True)
        if succeeded:
            self.store(message, answer.finished)
        return answer.finished

    def store(self, message: uuid.UUID, html: str) -> None:
        """Store the HTML of an answer that has ended."""
        with self._lock:
            self._free -= len(html) - len(self._html.pop(message, ""))
            self._html[message] = html
            while self._free < 0 and self._html:
                self._free += len(self._html.popitem(last=False)[1])


html_cache = HtmlCache()
"""The one cache of this process."""
