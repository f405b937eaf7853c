"""Brings the words of messages and titles into the search index, in the background: no answer waits for it."""

from django.db import connection

from .database import in_background

EVERY = 1.0
"""Seconds between two looks for what is new."""

BATCH = 200

INDEX = """
WITH waiting AS (
    SELECT id, owner_id, conversation_id, is_title FROM conversations_searchentry
    WHERE vector IS NULL ORDER BY id DESC LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE conversations_searchentry e SET vector = conversations_words(w.owner_id, COALESCE(
    CASE WHEN w.is_title THEN (SELECT c.title FROM conversations_conversation c WHERE c.id = w.id)
         ELSE (SELECT m.content FROM conversations_message m WHERE m.id = w.id) END, ''))
FROM waiting w WHERE e.id = w.id
"""


async def index() -> None:
    """Index all that waits, newest first, batch after batch. Any number of processes may do so at once."""
    while await in_background(index_batch) == BATCH:
        pass


def index_batch() -> int:
    """Index some of what waits; returns how much."""
    with connection.cursor() as cursor:
        cursor.execute(INDEX, [BATCH])
        return int(cursor.rowcount)
