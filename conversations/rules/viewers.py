"""The viewers of a generation, and the time at which it ends if nobody views it. Times are seconds of a monotonic
clock, passed in by the caller."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from .status import EndReason

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class GracePeriods:
    """How long a generation waits for a viewer to come back, in seconds, by how the last one went."""

    left: float
    connection_lost: float

    @classmethod
    def from_preference(cls, when_leaving: str, left: float, connection_lost: float) -> Self:
        """Apply what the person chose for when they leave. `left` and `connection_lost` are the minimum for everybody,
        in seconds."""
        minimum = {"wait": MINUTE, "finish": math.inf}.get(when_leaving, 0.0)
        return cls(max(left, minimum), max(connection_lost, minimum))

    def after(self, cause: EndReason) -> float:
        """Return the seconds to wait after a viewer went for this cause; 0 for any but a closed page or a lost
        connection."""
        if cause == EndReason.LEFT:
            return self.left
        if cause == EndReason.CONNECTION_LOST:
            return self.connection_lost
        return 0.0


class Viewers:
    """The viewers of one generation. The last to go determines why it ends; anybody who comes back cancels the end."""

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
        """When the generation ends because everybody has gone, and why; None while there is a viewer or before the
        first. The time is infinite if the person wants the answer finished."""
        return self._pending_end

    def __contains__(self, viewer: Hashable) -> bool:
        return viewer in self._present

    def arrive(self, viewer: Hashable) -> None:
        """Add a viewer, and cancel the pending end."""
        self._present.add(viewer)
        self._pending_end = None

    def leave(self, viewer: Hashable, cause: EndReason, now: float) -> bool:
        """Remove a viewer. Return True if it was the last. One that was not there changes nothing."""
        if viewer not in self._present:
            return False
        self._present.discard(viewer)
        if not self._present:
            self._pending_end = (now + self.grace_periods.after(cause), cause)
        return not self._present

    def postpone_end(self, now: float) -> None:
        """Wait as long as for a lost connection: a page was just served, so a viewer is about to connect."""
        if self._pending_end is not None:
            due, cause = self._pending_end
            self._pending_end = (max(due, now + self.grace_periods.connection_lost), cause)
