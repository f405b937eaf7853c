"""Adapts how often an answer is sent to its viewers to how busy this process is.

Fewer and larger frames cost less per token. So the interval between two frames of an answer is `CHAT_FLUSH_INTERVAL`
while there is time, and grows when the event loop's thread is busy: more streams then mean fewer frames for each, not a
backlog.
"""

import time

from django.conf import settings

IDLE_SHARE, BUSY_SHARE = 0.05, 0.2
"""Shares of one processor that the event loop's thread uses: the interval begins to grow at the first, and reaches its
limit at the second. A hundred usual answers take a fifth; beyond that, each frame that is not made leaves room for
more."""

MAX_STRETCH = 4.0
"""Limit of the factor by which the interval grows: with the default of 50 ms, five frames a second remain."""

SMOOTHING = 0.5
"""Weight of the newest sample in the average, from 0 to 1."""


class LoopLoad:
    """How much of one processor the event loop's thread uses, smoothed.

    `share`: from 0 to 1. `interval`: seconds between two frames of one answer.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self.interval = float(settings.CHAT_FLUSH_INTERVAL)
        self._wall = time.monotonic()
        self._cpu = time.thread_time()

    def sample(self) -> None:
        """Measure again. Call it several times a second, always from the same thread."""
        wall, cpu = time.monotonic(), time.thread_time()
        if wall > self._wall:
            share = min(1.0, max(0.0, (cpu - self._cpu) / (wall - self._wall)))
            self.share += SMOOTHING * (share - self.share)
            self.interval = settings.CHAT_FLUSH_INTERVAL * stretch(self.share)
        self._wall, self._cpu = wall, cpu


def stretch(share: float) -> float:
    """How many times longer the interval is when this share of a processor is used."""
    return 1 + (MAX_STRETCH - 1) * min(1.0, max(0.0, (share - IDLE_SHARE) / (BUSY_SHARE - IDLE_SHARE)))


loop_load = LoopLoad()


def current() -> float:
    """Seconds between two frames of one answer, at the present load."""
    return loop_load.interval
