"""Which pages view which generations, and what happens when the last one leaves or one comes back.

Methods never wait. What has to wait is a background task.
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
"""The one entry among the viewers of a generation that represents all viewers at other processes."""

LOOKUP_TIMEOUT = 0.3
"""Seconds that the query for other viewers may take before a generation without any here is ended."""


class ViewerTracker:
    """One per process; lives on the event loop. `steady` returns the seconds for which the database has been well."""

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
        """The page that asked for this generation has gone already: its grace period begins now."""
        self._add(live, socket)
        self.leave(socket, EndReason.LEFT)

    def _add(self, live: LiveGeneration, socket: Socket) -> None:
        live.viewers.arrive(socket)
        live.sessions[socket.session] = socket.signed_in_by
        self._note(live.id, socket)

    def add_remote(self, remote: RemoteGeneration, socket: Socket) -> None:
        """Make this page a viewer of a generation of another process, unless the page has gone in the meantime."""
        if socket in self._sockets:
            self._note(remote.generation, socket)
            self._follower.follow(remote, socket)

    def _note(self, generation: uuid.UUID, socket: Socket) -> None:
        socket.viewing.add(generation)
        socket.send_window.touch(time.monotonic())  # the timeout for acknowledgements begins now

    def remove_generation(self, generation: uuid.UUID, sockets: Iterable[Socket]) -> None:
        """This generation is over: none of these sockets views it any more."""
        for socket in sockets:
            socket.viewing.discard(generation)

    # --- pages that leave and come back ------------------------------------------------------------------------------

    def lost(self, socket: Socket) -> None:
        """The socket does not answer. It may come back: it stays connected and is still sent what there is."""
        self.leave(socket, EndReason.CONNECTION_LOST)

    def back(self, socket: Socket) -> None:
        """The socket answers again."""
        for generation in list(socket.viewing):
            if (live := self._live.get(generation)) is not None:
                live.viewers.arrive(socket)
            else:  # its owner waits a little for somebody to come back
                self._follower.come_back(generation, socket)

    def leave(self, socket: Socket, cause: EndReason) -> None:
        """The page views nothing any more, for this reason."""
        now = time.monotonic()
        for generation in list(socket.viewing):
            live = self._live.get(generation)
            if live is not None and live.viewers.leave(socket, cause, now):
                self._last_one_left(live)
            if self._follower.leave(generation, socket, cause, now):
                self._tasks.spawn(self._report_gone(generation, cause))

    async def _report_gone(self, generation: uuid.UUID, cause: EndReason) -> None:
        await in_database(presence.mark_gone, generation, self._process, cause)
        self._notifier.notify(Kind.ROWS_CHANGED)

    # --- a generation without viewers here ---------------------------------------------------------------------------

    def update_elsewhere(self, live: LiveGeneration, row: Signals) -> None:
        """Take over what the database says about viewers at other processes."""
        if row.watched_elsewhere:
            live.viewers.arrive(ELSEWHERE)
        elif not row.silent_elsewhere or self._silence_counts():
            cause = known_reason(row.left_elsewhere, EndReason.LEFT)
            if live.viewers.leave(ELSEWHERE, cause, time.monotonic()):
                self._last_one_left(live)

    def _last_one_left(self, live: LiveGeneration) -> None:
        """A sign-out and the like end it at once. Otherwise somebody may be on the way."""
        alone = live.viewers.pending_end
        if alone is None:
            return
        if alone[1] in (EndReason.LEFT, EndReason.CONNECTION_LOST):
            self._tasks.spawn(self._look_for_others(live))
        else:
            live.stop(alone[1])

    async def _look_for_others(self, live: LiveGeneration) -> None:
        found = await self._others(live.id)
        elsewhere = found.elsewhere or (found.silent and not self._silence_counts())
        if elsewhere and not live.viewers.anybody:
            live.viewers.arrive(ELSEWHERE)
        if found.expected:
            live.viewers.postpone_end(time.monotonic())
        self._end_when_due(live)

    async def _others(self, generation: uuid.UUID) -> presence.OtherViewers:
        """Without a database nobody counts as there: a provider must not go on for that."""
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT):
                return await in_database(presence.others, generation)
        except UNAVAILABLE as error:
            logger.info("generation %s: other viewers are unknown: %s", generation, type(error).__name__)
            return presence.OtherViewers()

    def _silence_counts(self) -> bool:
        """Whether the database has been well for long enough that every process could renew its presence."""
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
            asyncio.get_running_loop().call_later(due - now, self._look_again, live)

    def _look_again(self, live: LiveGeneration) -> None:
        """The grace period is over, but a page may have been served only just now, after a second reload, say."""
        if self._live.get(live.id) is not None and live.viewers.pending_end is not None:
            self._tasks.spawn(self._look_for_others(live))
