"""What a process looks after again and again: models on offer, answers of dead processes, sessions that ended."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from conversations.cluster import presence
from conversations.generation.supervisor import Supervisor
from conversations.operations.summary import rollup
from conversations.people import sessions
from conversations.providers.catalog import model_catalog
from conversations.storage import reaper
from conversations.storage.db_threads import UNAVAILABLE, in_background, in_database

from . import cleanup, retention, search_index, token_accounting

logger = logging.getLogger(__name__)

SESSIONS = 0.5
"""Seconds between two looks at the sessions and accounts of those who are connected."""

AFTERWARDS = 10.0
"""Seconds after an answer of this process in which something of it may be left to tidy up."""

SELDOM = 30.0
"""Seconds between two such looks of a process that answers nobody."""

PAUSE = 0.5
"""Seconds between two turns of adding up a long history."""


async def every(seconds: float, look: Callable[[], Awaitable[None]]) -> None:
    """Look again and again until cancelled. One look that fails does not end the rounds."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await look()
        except UNAVAILABLE as error:  # the journal says so, once
            logger.info("%s: %s", getattr(look, "__name__", "a round"), type(error).__name__)
        except Exception:
            logger.exception("a round failed")


def of(supervisor: Supervisor) -> list[Coroutine[Any, Any, None]]:
    """The periodic tasks of this process; each runs until it is cancelled."""
    return PeriodicTasks(supervisor).all()


class PeriodicTasks:
    """The looks of one process."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._process = supervisor.process
        self._journal = supervisor.journal
        self._sockets = supervisor.sockets
        self._busy_at = self._tidied_at = 0.0

    def all(self) -> list[Coroutine[Any, Any, None]]:
        return [
            every(reaper.REAP_INTERVAL, self.sweep),
            every(model_catalog.REFRESH_INTERVAL, model_catalog.catalog.refresh),
            every(model_catalog.REFRESH_INTERVAL, model_catalog.catalog.list_models),
            every(token_accounting.EVERY, self.count_usage),
            every(SESSIONS, self.look_at_sessions),
            every(search_index.EVERY, search_index.index),
            every(retention.EVERY, retention.empty_soon),
            every(cleanup.EVERY, cleanup.tidy_soon),
            every(rollup.EVERY, self.add_up),
        ]

    async def sweep(self) -> None:
        if self._journal.steady_for() < reaper.MIN_STEADY_CONTACT:
            return
        ended = await in_database(reaper.reap, self._process)
        now = time.monotonic()
        if ended or not self._journal.is_idle():
            self._busy_at = now
        if now - self._busy_at < AFTERWARDS or now - self._tidied_at > SELDOM:
            self._tidied_at = now
            await in_database(presence.delete_stale)

    async def count_usage(self) -> None:
        await token_accounting.count(self._process)

    async def add_up(self) -> None:
        """Bit by bit, so that a long history holds up neither a thread nor those who read."""
        while self._journal.steady_for() and await in_background(rollup.settle):
            await asyncio.sleep(PAUSE)

    async def look_at_sessions(self) -> None:
        """Who signed out at another process keeps no answer running here. The notifier, if any, is quicker."""
        connected, left_behind = self._sockets.all(), self._supervisor.sessions.unattended()
        if not connected and not left_behind:
            return
        stale = await in_database(sessions.invalid, [*(socket.signed_in_by for socket in connected), *left_behind])
        for socket in connected:
            if socket.signed_in_by[0] in stale:
                socket.recheck()
        for key, _user, _password in left_behind:
            if key in stale:
                await self._look_at_left_behind(key)

    async def _look_at_left_behind(self, key: str) -> None:
        if await in_database(sessions.load_user, key) is not None:
            return
        if successor := await in_database(sessions.find_successor, key):
            self._supervisor.sessions.replace(sessions.digest(key), successor)
        else:
            self._supervisor.sessions.end(sessions.digest(key))
