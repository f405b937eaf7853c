"""Checks whether this process can take work. Probes ask often, even while the database is down, so the check is
cheap."""

import asyncio
import time

from django.conf import settings
from django.db import connection

from conversations.generation.supervisor import Supervisor
from conversations.storage.db_threads import UNAVAILABLE, in_database

DATABASE_TIMEOUT = 1.0
"""Seconds in which the database has to answer."""

CACHE_TIME = 1.0
"""Seconds for which the database's answer is reused, however often probes ask."""

MAX_JOURNAL_DELAY = 3.0
"""Seconds beyond the save interval after which the journal counts as stalled."""


class Readiness:
    """One per process."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._query: asyncio.Task[bool] | None = None
        self._queried_at = 0.0

    async def fault(self) -> str:
        """Why this process cannot take work: "draining", "journal" or "database"; "" if it can.

        Takes up to `DATABASE_TIMEOUT` seconds; may be cancelled.
        """
        if self._supervisor.stopping:
            return "draining"
        if not await self._database_answers():
            return "database"
        if self._supervisor.journal.unavailable_for() > settings.CHAT_SAVE_INTERVAL + MAX_JOURNAL_DELAY:
            return "journal"
        return ""

    async def _database_answers(self) -> bool:
        """Concurrent probes share one query, so that a hanging database blocks one thread, not many."""
        now = time.monotonic()
        if self._query is None or (self._query.done() and now - self._queried_at > CACHE_TIME):
            self._queried_at = now
            self._query = self._supervisor.spawn(_database_answers(), name="health")
        done, _pending = await asyncio.wait({self._query}, timeout=DATABASE_TIMEOUT)
        return bool(done) and not self._query.cancelled() and self._query.result()


async def _database_answers() -> bool:
    try:
        await in_database(_query)
    except UNAVAILABLE:
        return False
    return True


def _query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
