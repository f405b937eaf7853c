"""Acts on what the journal's ticks report about the generations of this process: stop requests, lost ownership,
orphans."""

import logging
import uuid
from collections.abc import Set

from conversations.cluster.notifications import Kind, Notifier
from conversations.rules.status import EndReason, known_reason
from conversations.storage import reaper
from conversations.storage.db_threads import in_database
from conversations.storage.journal import Signals, Tick

from .background_tasks import BackgroundTasks
from .lease_trust import Lease
from .live_generation import LiveGeneration
from .registry import GenerationRegistry
from .viewer_tracker import ViewerTracker

logger = logging.getLogger(__name__)

ORPHAN_TICKS = 20
"""Ticks after which a streaming row is ended that this process owns but does not run; also the ticks between two
attempts."""


class TickHandler:
    """Lives on the event loop; methods never wait."""

    def __init__(
        self,
        live: GenerationRegistry,
        viewers: ViewerTracker,
        lease: Lease,
        notifier: Notifier,
        tasks: BackgroundTasks,
    ) -> None:
        self._live = live
        self._viewers = viewers
        self._lease = lease
        self._notifier = notifier
        self._tasks = tasks
        self._orphans: dict[uuid.UUID, int] = {}

    def ticked(self, tick: Tick) -> None:
        """Apply a successful tick: the lease is held, and these are the rows that stream for this process."""
        self._lease.confirm(tick.began)
        rows = {row.generation: row for row in tick.signals}
        for key in tick.known - rows.keys():
            if (live := self._live.get(key)) is not None:  # fenced: another process has ended it
                live.abandon()
        for key, row in rows.items():
            if (live := self._live.get(key)) is not None:
                self._apply_safely(live, row)
        if any(row.watched_elsewhere for row in tick.signals):
            self._notifier.notify(Kind.ROWS_CHANGED)
        self._end_orphans(rows.keys() - self._live.ids())

    def _apply_safely(self, live: LiveGeneration, row: Signals) -> None:
        """A row that this version does not understand does not prevent the others from being applied."""
        try:
            self._apply(live, row)
        except Exception:
            logger.exception("generation %s: its row was not understood", live.id)

    def _apply(self, live: LiveGeneration, row: Signals) -> None:
        if row.stop_reason:
            live.stop(known_reason(row.stop_reason, EndReason.STOPPED), None)
        self._viewers.update_elsewhere(live, row)

    def _end_orphans(self, orphans: Set[uuid.UUID]) -> None:
        """End rows of this process that it does not run: they were stored, and then lost before `launch`."""
        self._orphans = {key: self._orphans.get(key, 0) + 1 for key in orphans}
        for key, ticks in self._orphans.items():
            if ticks % ORPHAN_TICKS == 0:
                self._tasks.spawn(in_database(reaper.force_end, key, EndReason.SERVER_LOST))
