"""The periodic tasks of a process: refresh models, reap dead processes, check sessions, clean up."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from conversations.cluster import presence
from conversations.generation.supervisor import Supervisor
from conversations.operations.summary import rollup
from conversations.people import socket_sessions
from conversations.providers.catalog import model_catalog
from conversations.storage import reaper
from conversations.storage.db_threads import UNAVAILABLE, in_background, in_database

from . import retention, search_index, stale_rows, token_accounting

logger = logging.getLogger(__name__)

SESSION_CHECK_INTERVAL = 0.5
"""Seconds between two checks of the sessions and accounts that are connected."""

ACTIVE_PERIOD = 10.0
"""Seconds after the last answer during which each reaping also deletes stale presences."""

IDLE_PRESENCE_INTERVAL = 30.0
"""Seconds between two deletions of stale presences in an idle process."""

ROLLUP_PAUSE = 0.5
"""Seconds between two rounds of rolling up a long history; readers get their turn meanwhile."""


async def repeat(interval: float, task: Callable[[], Awaitable[None]]) -> None:
    """Run `task` every `interval` seconds until cancelled. Failures are logged and do not end it."""
    while True:
        await asyncio.sleep(interval)
        try:
            await task()
        except UNAVAILABLE as error:  # the journal says so, once
            logger.info("%s: %s", getattr(task, "__name__", "a periodic task"), type(error).__name__)
        except Exception:
            logger.exception("a periodic task failed")


def create_all(supervisor: Supervisor) -> list[Coroutine[Any, Any, None]]:
    """Return the periodic tasks of this process, not yet started. Each runs until it is cancelled."""
    return PeriodicTasks(supervisor).all()


class PeriodicTasks:
    """The periodic tasks of one process, and the state that they share. Each may be cancelled."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._process = supervisor.process
        self._journal = supervisor.journal
        self._sockets = supervisor.sockets
        self._active_at = self._presences_deleted_at = 0.0

    def all(self) -> list[Coroutine[Any, Any, None]]:
        return [
            repeat(reaper.REAP_INTERVAL, self.reap),
            repeat(model_catalog.REFRESH_INTERVAL, model_catalog.catalog.refresh),
            repeat(model_catalog.REFRESH_INTERVAL, model_catalog.catalog.list_models),
            repeat(token_accounting.COUNT_INTERVAL, self.count_tokens),
            repeat(SESSION_CHECK_INTERVAL, self.check_sessions),
            repeat(search_index.INDEX_INTERVAL, search_index.index_waiting),
            repeat(retention.PURGE_INTERVAL, retention.purge),
            repeat(stale_rows.CLEANUP_INTERVAL, stale_rows.clean_up),
            repeat(rollup.ROLLUP_INTERVAL, self.roll_up_summary),
        ]

    async def reap(self) -> None:
        """End what dead processes left streaming, and delete stale presences: often while there are answers."""
        if self._journal.steady_for() < reaper.MIN_STEADY_CONTACT:
            return
        ended = await in_database(reaper.reap, self._process)
        now = time.monotonic()
        if ended or not self._journal.is_idle():
            self._active_at = now
        if now - self._active_at < ACTIVE_PERIOD or now - self._presences_deleted_at > IDLE_PRESENCE_INTERVAL:
            self._presences_deleted_at = now
            await in_database(presence.delete_stale)

    async def count_tokens(self) -> None:
        """Count the tokens of ended answers without usage."""
        await token_accounting.count_tokens(self._process)

    async def roll_up_summary(self) -> None:
        """Roll up in rounds, so that a long history blocks neither a thread nor readers."""
        while self._journal.steady_for() and await in_background(rollup.roll_up):
            await asyncio.sleep(ROLLUP_PAUSE)

    async def check_sessions(self) -> None:
        """End the sockets and answers of sessions that ended in another process. With Redis, notifications do it
        sooner."""
        connected, unattended = self._sockets.all(), self._supervisor.sessions.unattended()
        if not connected and not unattended:
            return
        invalid = await in_database(socket_sessions.invalid, [*(socket.signed_in for socket in connected), *unattended])
        for socket in connected:
            if socket.signed_in.key in invalid:
                socket.recheck()
        for session in unattended:
            if session.key in invalid:
                await self._end_or_replace(session.key)

    async def _end_or_replace(self, key: str) -> None:
        """End a session without sockets, unless it is valid after all; or replace it by its successor."""
        if await in_database(socket_sessions.load_user, key) is not None:
            return
        if successor := await in_database(socket_sessions.find_successor, key):
            self._supervisor.sessions.replace(socket_sessions.digest(key), successor)
        else:
            self._supervisor.sessions.end(socket_sessions.digest(key))
