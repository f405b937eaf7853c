"""Brings the words of messages and titles into the search index, in the background: no answer waits for it."""

from django.db import connection

from conversations.storage.db_threads import in_background

EVERY = 1.0
"""Seconds between two looks for what is new."""

BATCH = 200

SIZE = 2_000_000
"""Bytes of text that are indexed by one statement, of a longer one at least that: it holds its rows meanwhile."""

INDEX = """
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


async def index() -> None:
    """Index all that waits, newest first, batch after batch. Any number of processes may do so at once."""
    while await in_background(index_batch):
        pass


def index_batch() -> int:
    """Index some of what waits; returns how much."""
    with connection.cursor() as cursor:
        cursor.execute(INDEX, [BATCH, SIZE])
        return int(cursor.rowcount)
