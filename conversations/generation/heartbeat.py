"""Checks the event loop, the sockets and the database of this process several times a second."""

import asyncio
import time

from django.conf import settings

from conversations.delivery import flush_interval
from conversations.delivery.open_sockets import Sockets
from conversations.rules.status import EndReason, Outcome
from conversations.storage.journal import Journal
from conversations.telemetry import metrics

from .lease_trust import Lease
from .registry import GenerationRegistry
from .viewer_tracker import ViewerTracker

HEARTBEAT_INTERVAL = 0.25
"""Seconds between two heartbeats."""

MAX_GAP = 1.0
"""Seconds between two heartbeats above which the process itself stood still: the silence of others then means
nothing."""


class Heartbeat:
    """Runs from `start` until the event loop ends."""

    def __init__(
        self, lease: Lease, live: GenerationRegistry, sockets: Sockets, viewers: ViewerTracker, journal: Journal
    ) -> None:
        self._lease = lease
        self._live = live
        self._sockets = sockets
        self._viewers = viewers
        self._journal = journal

    def start(self) -> None:
        """Call on the event loop."""
        self._lease.start()
        asyncio.get_running_loop().call_later(HEARTBEAT_INTERVAL, self._beat)

    def _beat(self) -> None:
        asyncio.get_running_loop().call_later(HEARTBEAT_INTERVAL, self._beat)
        gap = self._lease.beat()
        paused = gap > MAX_GAP
        metrics.EVENT_LOOP_DELAY.observe(max(0.0, gap - HEARTBEAT_INTERVAL))
        flush_interval.loop_load.sample()
        self._sockets.check(
            time.monotonic(), paused=paused, on_lost=self._viewers.mark_lost, on_back=self._viewers.mark_back
        )
        if not paused:
            self._fail_without_storage()

    def _fail_without_storage(self) -> None:
        """End all generations when the database has been unavailable for too long to keep their text."""
        if self._journal.unavailable_for() > settings.CHAT_STORAGE_PATIENCE:
            for live in self._live:
                live.fail(Outcome(EndReason.STORAGE, detail="the database stayed unavailable"))
