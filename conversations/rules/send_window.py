"""What one socket has been sent and has not acknowledged.

Daphne's `send` never waits, so a page that does not read would grow the server's memory without end. No I/O here; times
are seconds of a monotonic clock, passed in.
"""

from collections import deque

OVERFLOW_FACTOR = 4
"""How many times the limit may be unread in all, whatever it is, before the page is closed."""


class SendWindow:
    """Counts the unread bytes of one socket. `limit` is in bytes."""

    def __init__(self, limit: int, now: float) -> None:
        self.limit = limit
        self.sent = 0
        self.unread = 0
        self.heard_at = now
        self.full_since: float | None = None
        self._sizes: deque[int] = deque()

    def has_room(self, size: int) -> bool:
        """True if a frame of `size` bytes may go: under the limit, or nearly alone where it is larger than that."""
        return self.unread + size <= self.limit or self.unread <= self.limit // 4

    def has_room_for_large(self) -> bool:
        """True if a frame of any size may go."""
        return self.unread + self.limit // 2 <= self.limit

    def overflows(self, size: int) -> bool:
        """True if a frame that must not be left out is more than may wait: the page has to come back for it."""
        return self.unread + self._counted(size) > OVERFLOW_FACTOR * self.limit

    def record(self, size: int) -> None:
        """A frame of `size` bytes was sent. None counts for more than half of the limit: behind a snapshot that is
        larger than all of it there has to be room for what follows, or the page would be shown snapshots only."""
        counted = self._counted(size)
        self.sent += 1
        self.unread += counted
        self._sizes.append(counted)

    def _counted(self, size: int) -> int:
        return min(size, self.limit // 2)

    def mark_full(self, now: float) -> None:
        """A frame had no room."""
        if self.full_since is None:
            self.full_since = now

    def touch(self, now: float) -> None:
        """Anything came from the page: it is there."""
        self.heard_at = now

    def acknowledge(self, received: int, now: float) -> bool:
        """The page has received `received` frames in all. True if it has caught up after it was full.

        A number that is larger than what was sent counts as all; one that was acknowledged before changes nothing.
        """
        self.touch(now)
        while self._sizes and self.sent - len(self._sizes) < received:
            self.unread -= self._sizes.popleft()
        if self.full_since is not None and self.unread <= self.limit // 4:
            self.full_since = None
            return True
        return False
