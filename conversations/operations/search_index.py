"""Indexes the words of messages and titles for search, in the background so that no answer waits for it."""

from django.db import connection

from conversations.storage.db_threads import in_background

INDEX_INTERVAL = 1.0
"""Seconds between two checks for new entries."""

MAX_ENTRIES = 200
"""Entries that one statement indexes."""

MAX_BYTES = 2_000_000
"""Bytes of text that one statement indexes, but always one entry: it locks its rows until it ends."""

INDEX_WAITING = """
WITH found AS (
    SELECT id, owner_id, conversation_id, is_title FROM conversations_searchentry
    WHERE vector IS NULL ORDER BY id DESC LIMIT %s FOR UPDATE SKIP LOCKED
), waiting AS (
    SELECT f.*, sum(COALESCE(octet_length(m.content), 0)) OVER before - COALESCE(octet_length(m.content), 0) AS behind
    FROM found f LEFT JOIN conversations_message m ON m.id = f.id
    WINDOW before AS (ORDER BY f.id DESC)
)
UPDATE conversations_searchentry e SET vector = conversations_words(w.owner_id, COALESCE(
    CASE WHEN w.is_title THEN (SELECT c.title FROM conversations_conversation c WHERE c.id = w.id)
         ELSE (SELECT m.content FROM conversations_message m WHERE m.id = w.id) END, ''))
FROM waiting w WHERE e.id = w.id AND w.behind < %s
"""


async def index_waiting() -> None:
    """Index all waiting entries on a background thread, newest first. Any number of processes may do it at once. May be
    cancelled; a batch that has begun is finished. Raises django.db.Error."""
    while await in_background(index_batch):
        pass


def index_batch() -> int:
    """Index a batch of waiting entries. Returns how many. Raises django.db.Error."""
    with connection.cursor() as cursor:
        cursor.execute(INDEX_WAITING, [MAX_ENTRIES, MAX_BYTES])
        return int(cursor.rowcount)
