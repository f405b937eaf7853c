"""Decides whether this process can still rely on owning its generations."""

import time

from django.conf import settings


class Lease:
    """Trusted unless the process stood still for long enough to lose its lease without knowing it. Lives on the event
    loop. Times are seconds on `time.monotonic`'s clock."""

    def __init__(self) -> None:
        self._beat_at = 0.0
        self._suspect_since: float | None = None

    def start(self) -> None:
        """Start measuring, before the first heartbeat."""
        self._beat_at = time.monotonic()

    def beat(self) -> float:
        """Note a heartbeat. Returns the seconds since the last one."""
        gap = time.monotonic() - self._beat_at
        self.trusted()
        self._beat_at = time.monotonic()
        return gap

    def trusted(self) -> bool:
        """False after a pause of more than half a lease, until `confirm`."""
        now = time.monotonic()
        if now - self._beat_at > settings.CHAT_LEASE / 2:
            self._suspect_since = now
            self._beat_at = now
        return self._suspect_since is None

    def confirm(self, began: float) -> None:
        """Note that the database accepted a tick that began at `began`: the lease was held then."""
        if self._suspect_since is not None and began > self._suspect_since:
            self._suspect_since = None
