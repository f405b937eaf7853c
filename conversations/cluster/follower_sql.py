"""Reads the rows of generations that other processes run. Synchronous; runs on a database thread."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Row:
    """The state of a generation. `text`: what follows the characters that were read before."""

    generation: uuid.UUID
    status: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class RemoteGeneration:
    """A streaming generation of another process, and the message that it writes."""

    generation: uuid.UUID
    message: uuid.UUID
    conversation: uuid.UUID


def rows(read: Mapping[uuid.UUID, int]) -> list[Row]:
    """The rows of these generations. `read`: how many characters of each were read before. One query."""
    if not read:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.id, g.status, g.end_reason, substr(m.content || COALESCE(
                (SELECT string_agg(p.text, '' ORDER BY p.start) FROM conversations_piece p
                 WHERE p.generation_id = g.id AND g.status = 'streaming'), ''), f.seen + 1)
            FROM unnest(%s::uuid[], %s::int[]) AS f(id, seen)
            JOIN conversations_generation g ON g.id = f.id JOIN conversations_message m ON m.id = g.message_id
            """,
            [list(read), list(read.values())],
        )
        return [Row(*row) for row in cursor.fetchall()]


def streaming(conversations: Collection[uuid.UUID], process: uuid.UUID) -> list[RemoteGeneration]:
    """The generations that processes other than `process` stream in these conversations. One query."""
    if not conversations:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, message_id, conversation_id FROM conversations_generation
            WHERE status = 'streaming' AND conversation_id = ANY(%s) AND owner_id <> %s
            """,
            [list(conversations), process],
        )
        return [RemoteGeneration(*row) for row in cursor.fetchall()]
