"""Whether this process can take work: for probes, so it has to be cheap, and to answer while the database does not."""

import asyncio
import time

from django.conf import settings
from django.db import connection

from conversations.generation.supervisor import Supervisor
from conversations.storage.db_threads import UNAVAILABLE, in_database

PATIENCE = 1.0
"""Seconds in which the database has to answer."""

KEPT = 1.0
"""Seconds for which its answer holds: however often somebody asks, the database is asked once in that time."""

STILL = 3.0
"""Seconds, on top of the usual pause between two ticks, after which the journal counts as standing still."""


class Health:
    """One per process."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._look: asyncio.Task[bool] | None = None
        self._looked_at = 0.0

    async def fault(self) -> str:
        """What keeps this process from taking work: "draining", "journal" or "database"; "" if nothing does. Takes
        `PATIENCE` seconds at most; may be cancelled."""
        if self._supervisor.stopping:
            return "draining"
        if not await self._database_answers():
            return "database"
        if self._supervisor.journal.unavailable_for() > settings.CHAT_SAVE_INTERVAL + STILL:
            return "journal"
        return ""

    async def _database_answers(self) -> bool:
        """One look for all who ask at the same time, so that a database that hangs holds one thread, not many."""
        now = time.monotonic()
        if self._look is None or (self._look.done() and now - self._looked_at > KEPT):
            self._looked_at = now
            self._look = self._supervisor.spawn(_look(), name="health")
        done, _pending = await asyncio.wait({self._look}, timeout=PATIENCE)
        return bool(done) and not self._look.cancelled() and self._look.result()


async def _look() -> bool:
    try:
        await in_database(_select)
    except UNAVAILABLE:
        return False
    return True


def _select() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
