"""The SQL of commands that ask for an answer: few and plain statements, because they delay the first token.

The ORM's inserts would take several times the processor time and four more round trips.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from conversations.models import Conversation, Generation, Message

from .insert_sql import insert

_NEW_CONVERSATION_COLUMNS = insert(
    Conversation,
    {
        "id": "%(id)s",
        "owner_id": "%(owner)s",
        "client_id": "%(client)s",
        "title": "%(title)s",
        "system_prompt": "%(system_prompt)s",
        "temperature": "%(temperature)s",
        "created_at": "%(now)s",
        "active_at": "%(now)s",
    },
)
NEW_CONVERSATION = f"{_NEW_CONVERSATION_COLUMNS} ON CONFLICT (owner_id, client_id) DO NOTHING RETURNING 1"

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

_QUESTION = insert(
    Message,
    {
        "id": "%(question)s",
        "conversation_id": "%(conversation)s",
        "parent_id": "%(question_parent)s",
        "client_id": "%(question_client)s",
        "role": "'user'",
        "content": "%(prompt)s",
        "status": "'complete'",
        "created_at": "%(now)s",
    },
    where="%(asked)s",
)
_ANSWER = insert(
    Message,
    {
        "id": "%(answer)s",
        "conversation_id": "%(conversation)s",
        "parent_id": "%(question)s",
        "client_id": "%(answer_client)s",
        "role": "'assistant'",
        "content": "%(prefix)s",
        "status": "'streaming'",
        "created_at": "%(now)s",
    },
)
_GENERATION = insert(
    Generation,
    {
        "id": "%(generation)s",
        "conversation_id": "%(conversation)s",
        "message_id": "%(answer)s",
        "requested_by_id": "%(user)s",
        "kind": "%(kind)s",
        "continued_from_id": "%(continued)s",
        "endpoint": "%(endpoint)s",
        "model": "%(model)s",
        "status": "'streaming'",
        "owner_id": "%(owner)s",
        "requested_at": "clock_timestamp()",
        "price_in": "%(price_in)s",
        "price_out": "%(price_out)s",
        "currency": "%(currency)s",
        "turns_dropped": "%(dropped)s",
    },
)
WRITE = f"""
WITH question AS ({_QUESTION}), answer AS ({_ANSWER}), generation AS ({_GENERATION})
UPDATE conversations_conversation SET model = %(model)s, head_id = %(answer)s, active_at = %(now)s
WHERE id = %(conversation)s
RETURNING ARRAY(
    SELECT m.id FROM conversations_message m
    WHERE m.conversation_id = %(conversation)s AND m.role = %(first_role)s AND m.{{parent}} ORDER BY m.id)
"""  # noqa: S608 - made of constants

LOCK = "SELECT 1 FROM auth_user WHERE id = %s FOR NO KEY UPDATE"
"""Serializes the commands of one person, so that the count of their streaming answers stays correct."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a command has to know before it writes anything.

    `message`: the message of this command, if it was carried out before. `streaming`: the generation that streams in
    the conversation. `streaming_count`: how many of this person's generations stream. The other three are the person's
    preferences, "" without one.
    """

    message: uuid.UUID | None
    message_parent: uuid.UUID | None
    streaming: uuid.UUID | None
    streaming_count: int
    when_leaving: str = ""
    default_model: str = ""
    last_model: str = ""


@contextmanager
def pipelined() -> Iterator[None]:
    """Send several statements in one round trip: only fetching rows waits for the database.

    Use it within a transaction, but not with raw queries of the ORM, which read the columns before they fetch rows. An
    error is raised when rows are fetched, or at the end.
    """
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def lock(user: int) -> None:
    """Wait until this person's previous command has ended, and make the next one wait for this one."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [user])


def new_conversation(conversation: Conversation, command: uuid.UUID) -> Facts | None:
    """Insert a conversation and return its facts; None if the same command has inserted it before."""
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
    """Read the facts about an existing conversation."""
    with connection.cursor() as cursor:
        cursor.execute(FACTS, {"conversation": conversation, "user": user, "command": command})
        return Facts(*cursor.fetchone())


def write(question: Message, answer: Message, generation: Generation, *, asked: bool) -> list[uuid.UUID]:
    """Insert the answer and the generation, with `asked` also the question, and select the new branch.

    Returns the ids of the older versions of the first inserted message, oldest first. Raises IntegrityError if the
    conversation is already being answered.
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
