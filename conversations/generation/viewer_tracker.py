"""Tracks which pages view which generations, and acts when the last one leaves or one comes back.

Methods never wait: work that has to wait is a background task.
"""

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Final

from conversations.cluster import presence
from conversations.cluster.follower import POLL_INTERVAL, Follower
from conversations.cluster.follower_sql import RemoteGeneration
from conversations.cluster.notifications import Kind, Notifier
from conversations.delivery.open_sockets import Socket, Sockets
from conversations.rules.status import EndReason, known_reason
from conversations.storage.db_threads import UNAVAILABLE, in_database
from conversations.storage.journal import Signals

from .background_tasks import BackgroundTasks
from .live_generation import LiveGeneration
from .registry import GenerationRegistry

logger = logging.getLogger(__name__)

ELSEWHERE: Final = "elsewhere"
"""The one entry among the viewers of a generation that represents all viewers in other processes."""

LOOKUP_TIMEOUT = 0.3
"""Seconds that the query for viewers in other processes may take before a generation without viewers here is ended."""


class ViewerTracker:
    """One per process; lives on the event loop. `steady` returns the seconds for which the database has worked without
    interruption."""

    def __init__(
        self,
        process: uuid.UUID,
        live: GenerationRegistry,
        sockets: Sockets,
        follower: Follower,
        notifier: Notifier,
        tasks: BackgroundTasks,
        steady: Callable[[], float],
    ) -> None:
        self._process = process
        self._live = live
        self._sockets = sockets
        self._follower = follower
        self._notifier = notifier
        self._tasks = tasks
        self._steady = steady

    def add(self, live: LiveGeneration, socket: Socket) -> None:
        """Make this page a viewer, unless it has gone in the meantime."""
        if socket in self._sockets:
            self._add(live, socket)

    def add_departed(self, live: LiveGeneration, socket: Socket) -> None:
        """Begin the grace period: the page that asked for this generation has already gone."""
        self._add(live, socket)
        self.leave(socket, EndReason.LEFT)

    def _add(self, live: LiveGeneration, socket: Socket) -> None:
        live.viewers.arrive(socket)
        live.sessions[socket.session] = socket.signed_in
        self._mark_viewing(live.id, socket)

    def add_remote(self, remote: RemoteGeneration, socket: Socket) -> None:
        """Make this page a viewer of a generation of another process, unless the page has gone in the meantime."""
        if socket in self._sockets:
            self._mark_viewing(remote.generation, socket)
            self._follower.follow(remote, socket)

    def _mark_viewing(self, generation: uuid.UUID, socket: Socket) -> None:
        socket.viewing.add(generation)
        socket.send_window.touch(time.monotonic())  # the timeout for acknowledgements begins now

    def remove_generation(self, generation: uuid.UUID, sockets: Iterable[Socket]) -> None:
        """Note that this generation is over: none of these sockets views it any longer."""
        for socket in sockets:
            socket.viewing.discard(generation)

    # --- pages that leave and come back ------------------------------------------------------------------------------

    def mark_lost(self, socket: Socket) -> None:
        """Remove a socket that does not answer from the viewers. It stays connected, still gets frames, and may come
        back."""
        self.leave(socket, EndReason.CONNECTION_LOST)

    def mark_back(self, socket: Socket) -> None:
        """Make a lost socket a viewer again: it answers."""
        for generation in list(socket.viewing):
            if (live := self._live.get(generation)) is not None:
                live.viewers.arrive(socket)
            else:  # its owner waits a little for somebody to come back
                self._follower.come_back(generation, socket)

    def leave(self, socket: Socket, cause: EndReason) -> None:
        """Remove a page from the viewers of all generations, for this reason."""
        now = time.monotonic()
        for generation in list(socket.viewing):
            live = self._live.get(generation)
            if live is not None and live.viewers.leave(socket, cause, now):
                self._nobody_left(live)
            if self._follower.leave(generation, socket, cause, now):
                self._tasks.spawn(self._report_gone(generation, cause))

    async def _report_gone(self, generation: uuid.UUID, cause: EndReason) -> None:
        await in_database(presence.mark_gone, generation, self._process, cause)
        self._notifier.notify(Kind.ROWS_CHANGED)

    # --- a generation without viewers here ---------------------------------------------------------------------------

    def update_elsewhere(self, live: LiveGeneration, row: Signals) -> None:
        """Apply what the database says about viewers in other processes."""
        if row.watched_elsewhere:
            live.viewers.arrive(ELSEWHERE)
        elif not row.silent_elsewhere or self._silence_counts():
            cause = known_reason(row.left_elsewhere, EndReason.LEFT)
            if live.viewers.leave(ELSEWHERE, cause, time.monotonic()):
                self._nobody_left(live)

    def _nobody_left(self, live: LiveGeneration) -> None:
        """End it at once after a sign-out or the like; otherwise first check whether somebody views it or is about
        to."""
        alone = live.viewers.pending_end
        if alone is None:
            return
        if alone[1] in (EndReason.LEFT, EndReason.CONNECTION_LOST):
            self._tasks.spawn(self._check_elsewhere(live))
        else:
            live.stop(alone[1])

    async def _check_elsewhere(self, live: LiveGeneration) -> None:
        found = await self._load_others(live.id)
        elsewhere = found.elsewhere or (found.silent and not self._silence_counts())
        if elsewhere and not live.viewers.anybody:
            live.viewers.arrive(ELSEWHERE)
        if found.expected:
            live.viewers.postpone_end(time.monotonic())
        self._end_when_due(live)

    async def _load_others(self, generation: uuid.UUID) -> presence.OtherViewers:
        """Who views it elsewhere. If the database is unavailable, nobody does: otherwise a provider could go on for
        nobody."""
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT):
                return await in_database(presence.others, generation)
        except UNAVAILABLE as error:
            logger.info("generation %s: other viewers are unknown: %s", generation, type(error).__name__)
            return presence.OtherViewers()

    def _silence_counts(self) -> bool:
        """Whether the database has worked for long enough that every process could renew its presence."""
        return self._steady() >= presence.PROCESS_TIMEOUT + POLL_INTERVAL

    def _end_when_due(self, live: LiveGeneration) -> None:
        alone = live.viewers.pending_end
        if alone is None or self._live.get(live.id) is None:
            return
        due, cause = alone
        now = time.monotonic()
        if now >= due:
            live.stop(cause)
        elif not math.isinf(due):
            asyncio.get_running_loop().call_later(due - now, self._recheck, live)

    def _recheck(self, live: LiveGeneration) -> None:
        """Check once more at the end of the grace period: a page may have been served only just now, after a second
        reload, say."""
        if self._live.get(live.id) is not None and live.viewers.pending_end is not None:
            self._tasks.spawn(self._check_elsewhere(live))
