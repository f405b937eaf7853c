"""Limits how much is sent to one socket before the page acknowledges it.

Daphne's `send` never blocks, so without this limit a page that does not read would fill the server's memory. Times are
seconds of a monotonic clock, passed in by the caller.
"""

from collections import deque

OVERFLOW_FACTOR = 4
"""A page is closed before its unread frames, of any kind, exceed this many times the limit."""


class SendWindow:
    """Counts the unread bytes of one socket. `limit` is in bytes, `sent` counts frames, `heard_at` is the time of the
    page's last frame, `full_since` the time since which a frame has had no room."""

    def __init__(self, limit: int, now: float) -> None:
        self.limit = limit
        self.sent = 0
        self.unread = 0
        self.heard_at = now
        self.full_since: float | None = None
        self._sizes: deque[int] = deque()

    def has_room(self, size: int) -> bool:
        """Return whether a frame of `size` bytes may be sent: it stays under the limit, or little else is unread."""
        return self.unread + size <= self.limit or self.unread <= self.limit // 4

    def has_room_for_large(self) -> bool:
        """Return whether a frame of any size may be sent."""
        return self.unread + self.limit // 2 <= self.limit

    def overflows(self, size: int) -> bool:
        """Return whether a frame of `size` bytes that must not be dropped would exceed `OVERFLOW_FACTOR` times the
        limit. The page is then closed, and gets everything anew when it reconnects."""
        return self.unread + self._counted(size) > OVERFLOW_FACTOR * self.limit

    def record(self, size: int) -> None:
        """Count a frame of `size` bytes as sent.

        No frame counts for more than half of the limit. Otherwise a snapshot larger than the limit would leave no room
        for the deltas after it, and the page would be shown nothing but snapshots.
        """
        counted = self._counted(size)
        self.sent += 1
        self.unread += counted
        self._sizes.append(counted)

    def _counted(self, size: int) -> int:
        return min(size, self.limit // 2)

    def mark_full(self, now: float) -> None:
        """Note that a frame had no room."""
        if self.full_since is None:
            self.full_since = now

    def touch(self, now: float) -> None:
        """Note that the page has sent something, so its connection works."""
        self.heard_at = now

    def acknowledge(self, received: int, now: float) -> bool:
        """Note that the page has received `received` frames in all. Return True if it has caught up after being full.

        A number larger than `sent` acknowledges everything; one that was acknowledged before changes nothing.
        """
        self.touch(now)
        while self._sizes and self.sent - len(self._sizes) < received:
            self.unread -= self._sizes.popleft()
        if self.full_since is not None and self.unread <= self.limit // 4:
            self.full_since = None
            return True
        return False
