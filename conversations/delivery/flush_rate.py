"""How busy this process is, and how often its answers are shown for that.

Sending fewer and larger frames costs less for each token, so the interval between two frames of an answer follows the
load: as short as `CHAT_FLUSH_INTERVAL` while there is time, longer when the event loop's thread is busy. Then more
streams mean fewer frames for each, not a backlog.
"""

import time

from django.conf import settings

IDLE, BUSY = 0.05, 0.2
"""Shares of a processor, used by the event loop's thread: from which on the interval grows, and at which it is as long
as it gets. A fifth is what a hundred usual answers take; each frame that is not made there leaves room for more."""

LONGEST = 4.0
"""How many times longer the interval gets: of the usual 50 ms, five frames a second remain."""

SMOOTH = 0.5
"""Weight of the newest look."""


class Load:
    """The share of one processor that the thread which calls `look` uses, smoothed."""

    def __init__(self) -> None:
        self.share = 0.0
        self.interval = float(settings.CHAT_FLUSH_INTERVAL)
        self._wall = time.monotonic()
        self._cpu = time.thread_time()

    def look(self) -> None:
        """Take a new look; several times a second, always from the same thread."""
        wall, cpu = time.monotonic(), time.thread_time()
        if wall > self._wall:
            share = min(1.0, max(0.0, (cpu - self._cpu) / (wall - self._wall)))
            self.share += SMOOTH * (share - self.share)
            self.interval = settings.CHAT_FLUSH_INTERVAL * stretch(self.share)
        self._wall, self._cpu = wall, cpu


def stretch(share: float) -> float:
    """How many times longer the interval is at this share of a processor."""
    return 1 + (LONGEST - 1) * min(1.0, max(0.0, (share - IDLE) / (BUSY - IDLE)))


loop = Load()


def interval() -> float:
    """Seconds between two frames of one answer, as things are."""
    return loop.interval
