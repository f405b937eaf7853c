"""Deletes stale rows: expired sessions, and dead processes without generations."""

from importlib import import_module

from django.conf import settings
from django.db import connection

from conversations.storage import journal_sql
from conversations.storage.db_threads import in_background

CLEANUP_INTERVAL = 3600.0
"""Seconds between two clean-ups."""

# The lock is free only once the process is dead: see ServerProcess. Generations keep the row of their process.
DELETE_PROCESSES = """
DELETE FROM conversations_serverprocess p
WHERE p.renewed_at < clock_timestamp() - interval '1 day'
  AND NOT EXISTS (SELECT FROM conversations_generation g WHERE g.owner_id = p.id)
  AND pg_try_advisory_xact_lock(%s, hashtext(p.id::text))
"""


async def clean_up() -> None:
    """Delete stale rows on a background thread. Any number of processes may do it at once. May be cancelled, which does
    not undo a deletion that has begun. Raises django.db.Error."""
    await in_background(delete_stale_rows)


def delete_stale_rows() -> None:
    """Delete expired sessions and dead processes without generations. Synchronous. Raises django.db.Error."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    with connection.cursor() as cursor:
        cursor.execute(DELETE_PROCESSES, [journal_sql.LOCK])
