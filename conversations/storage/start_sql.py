"""The statements behind a command that asks: few and plain, because they stand between Send and the first token.

Building the same with the ORM's inserts costs several times the processor time and four more round trips.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from conversations.models import Conversation, Generation, Message

NEW_CONVERSATION = """
INSERT INTO conversations_conversation (
    id, owner_id, client_id, title, model, system_prompt, temperature, created_at, active_at)
VALUES (%(id)s, %(owner)s, %(client)s, %(title)s, '', %(system_prompt)s, %(temperature)s, %(now)s, %(now)s)
ON CONFLICT (owner_id, client_id) DO NOTHING
RETURNING 1
"""

FACTS = """
SELECT m.id, m.parent_id,
       (SELECT g.id FROM conversations_generation g
        WHERE g.conversation_id = %(conversation)s AND g.status = 'streaming'),
       (SELECT count(*) FROM conversations_generation g
        WHERE g.requested_by_id = %(user)s AND g.status = 'streaming'),
       COALESCE(p.when_leaving, ''), COALESCE(p.default_model, ''),
       COALESCE(p.last_model, '')
FROM (VALUES (1)) AS one
LEFT JOIN conversations_message m ON m.client_id = %(command)s AND m.conversation_id = %(conversation)s
LEFT JOIN conversations_preferences p ON p.user_id = %(user)s
"""

WRITE = """
WITH question AS (
    INSERT INTO conversations_message (id, conversation_id, parent_id, client_id, role, content, status, created_at)
    SELECT %(question)s, %(conversation)s, %(question_parent)s, %(question_client)s, 'user', %(prompt)s, 'complete',
           %(now)s
    WHERE %(asked)s
), answer AS (
    INSERT INTO conversations_message (id, conversation_id, parent_id, client_id, role, content, status, created_at)
    VALUES (%(answer)s, %(conversation)s, %(question)s, %(answer_client)s, 'assistant', %(prefix)s, 'streaming',
            %(now)s)
), generation AS (
    INSERT INTO conversations_generation (
        id, conversation_id, message_id, requested_by_id, kind, continued_from_id, endpoint, model, status, owner_id,
        requested_at, end_reason, error_code, detail, stop_reason, characters, usage_source, price_in, price_out,
        currency, turns_dropped)
    VALUES (%(generation)s, %(conversation)s, %(answer)s, %(user)s, %(kind)s, %(continued)s, %(endpoint)s, %(model)s,
            'streaming', %(owner)s, clock_timestamp(), '', '', '', '', 0, '', %(price_in)s, %(price_out)s, %(currency)s,
            %(dropped)s)
)
UPDATE conversations_conversation SET model = %(model)s, head_id = %(answer)s, active_at = %(now)s
WHERE id = %(conversation)s
RETURNING ARRAY(
    SELECT m.id FROM conversations_message m
    WHERE m.conversation_id = %(conversation)s AND m.role = %(first_role)s AND m.{parent} ORDER BY m.id)
"""

LOCK = "SELECT 1 FROM auth_user WHERE id = %s FOR NO KEY UPDATE"
"""One command of a person at a time, so that the count of running answers holds."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What has to be known before anything is written. `made`: the command's own message, if it was carried out. The
    last three are the person's choice; "" without one."""

    made: uuid.UUID | None
    made_parent: uuid.UUID | None
    running: uuid.UUID | None
    count: int
    when_leaving: str = ""
    default_model: str = ""
    last_model: str = ""


@contextmanager
def pipelined() -> Iterator[None]:
    """Statements go to the database without a wait, until one is asked for its rows: several in one round trip.

    Within a transaction; not for raw queries of the ORM, which look at columns before they ask for rows. An error comes
    where rows are asked for, at the latest at the end.
    """
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def lock(user: int) -> None:
    """Wait for this person's other command, and hold up the next."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [user])


def new_conversation(conversation: Conversation, command: uuid.UUID) -> Facts | None:
    """Insert it, unless the same command did so before: then None."""
    with connection.cursor() as insert, connection.cursor() as asked:
        insert.execute(
            NEW_CONVERSATION,
            {
                "id": conversation.pk,
                "owner": conversation.owner_id,
                "client": conversation.client_id,
                "title": conversation.title,
                "system_prompt": conversation.system_prompt,
                "temperature": conversation.temperature,
                "now": conversation.created_at,
            },
        )
        asked.execute(FACTS, {"conversation": conversation.pk, "user": conversation.owner_id, "command": command})
        return Facts(*asked.fetchone()) if insert.fetchone() else None


def facts(conversation: uuid.UUID, user: int, command: uuid.UUID) -> Facts:
    with connection.cursor() as cursor:
        cursor.execute(FACTS, {"conversation": conversation, "user": user, "command": command})
        return Facts(*cursor.fetchone())


def write(question: Message, answer: Message, generation: Generation, *, asked: bool) -> list[uuid.UUID]:
    """Insert answer and generation, `asked`: and the question before them, and put the new branch on screen.

    Returns the ids of the older versions of the first that is new, oldest first. Raises IntegrityError where the
    conversation is being answered already.
    """
    first = question if asked else answer
    parent = "parent_id IS NULL" if first.parent_id is None else "parent_id = %(first_parent)s"
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE.format(parent=parent),
            {
                "first_role": first.role,
                "first_parent": first.parent_id,
                "asked": asked,
                "question": question.pk,
                "question_parent": question.parent_id,
                "question_client": question.client_id,
                "prompt": question.content,
                "conversation": generation.conversation_id,
                "answer": answer.pk,
                "answer_client": answer.client_id,
                "prefix": answer.content,
                "now": answer.created_at,
                "generation": generation.pk,
                "user": generation.requested_by_id,
                "kind": generation.kind,
                "continued": generation.continued_from_id,
                "endpoint": generation.endpoint,
                "model": generation.model,
                "owner": generation.owner_id,
                "price_in": generation.price_in,
                "price_out": generation.price_out,
                "currency": generation.currency,
                "dropped": generation.turns_dropped,
            },
        )
        row = cursor.fetchone()
        return row[0] if row else []
