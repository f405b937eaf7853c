"""Rows that nobody needs any more: sessions that have run out, and processes that left nothing behind."""

from importlib import import_module

from django.conf import settings
from django.db import connection

from conversations.storage import journal_sql
from conversations.storage.db_threads import in_background

EVERY = 3600.0
"""Seconds between two looks."""

# The lock is free only when the process is dead: see ServerProcess. Runs keep the row of the process that wrote them.
FORGET = """
DELETE FROM conversations_serverprocess p
WHERE p.renewed_at < clock_timestamp() - interval '1 day'
  AND NOT EXISTS (SELECT FROM conversations_generation g WHERE g.owner_id = p.id)
  AND pg_try_advisory_xact_lock(%s, hashtext(p.id::text))
"""


async def tidy_soon() -> None:
    """Any number of processes may do so at once."""
    await in_background(tidy)


def tidy() -> None:
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [journal_sql.LOCK])
