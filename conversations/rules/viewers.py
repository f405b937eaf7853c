"""Who is there for a generation, and when it has been left alone for long enough to end.

No I/O and no clock of its own: times are seconds of a monotonic clock, passed in.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from .status import EndReason

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class GracePeriods:
    """Seconds that a generation waits for somebody to come back."""

    left: float
    connection_lost: float

    @classmethod
    def from_preference(cls, when_leaving: str, left: float, connection_lost: float) -> Self:
        """By what the person chose for when they leave; the seconds are the least that anybody gets."""
        least = {"wait": MINUTE, "finish": math.inf}.get(when_leaving, 0.0)
        return cls(max(left, least), max(connection_lost, least))

    def after(self, cause: EndReason) -> float:
        if cause == EndReason.LEFT:
            return self.left
        if cause == EndReason.CONNECTION_LOST:
            return self.connection_lost
        return 0.0


class Viewers:
    """The viewers of one generation. The last one to go decides why it ends; anybody who comes back calls it off."""

    def __init__(self, grace_periods: GracePeriods) -> None:
        self.grace_periods = grace_periods
        self._present: set[Hashable] = set()
        self._pending_end: tuple[float, EndReason] | None = None

    @property
    def anybody(self) -> bool:
        return bool(self._present)

    @property
    def count(self) -> int:
        return len(self._present)

    @property
    def pending_end(self) -> tuple[float, EndReason] | None:
        """(when it ends, why), or None while somebody is there. Never, where the person wants it finished."""
        return self._pending_end

    def __contains__(self, viewer: Hashable) -> bool:
        return viewer in self._present

    def arrive(self, viewer: Hashable) -> None:
        self._present.add(viewer)
        self._pending_end = None

    def leave(self, viewer: Hashable, cause: EndReason, now: float) -> bool:
        """True if nobody is left. A viewer that is not there leaves nothing behind."""
        if viewer not in self._present:
            return False
        self._present.discard(viewer)
        if not self._present:
            self._pending_end = (now + self.grace_periods.after(cause), cause)
        return not self._present

    def postpone_end(self, now: float) -> None:
        """Somebody is on the way (their page was just served): wait as for a lost connection."""
        if self._pending_end is not None:
            due, cause = self._pending_end
            self._pending_end = (max(due, now + self.grace_periods.connection_lost), cause)
