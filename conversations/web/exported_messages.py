"""The messages of a conversation, read in batches, so that exporting a long one takes no more memory."""

import uuid
from collections.abc import AsyncIterator

from conversations.models import Conversation, Generation, Message
from conversations.rendering import message_text
from conversations.storage.db_threads import in_database

BATCH_SIZE = 10
"""Messages that are read at once: each may be as long as an answer can get."""

ExportedMessage = tuple[Message, Generation | None, str]
"""A message, the generation that wrote it, and its text so far."""


async def on_branch(conversation: Conversation) -> AsyncIterator[ExportedMessage]:
    """The messages of the branch on screen, oldest first."""
    branch = await in_database(Message.objects.branch_ids, conversation.head_id)
    for begin in range(0, len(branch), BATCH_SIZE):
        for message in await in_database(_in_order, branch[begin : begin + BATCH_SIZE]):
            yield message


async def all_messages(conversation: Conversation) -> AsyncIterator[ExportedMessage]:
    """All messages, in the order in which they were begun."""
    last = None
    while batch := await in_database(_after, conversation, last):
        for message in batch:
            yield message
        last = batch[-1][0].pk


def _in_order(ids: list[uuid.UUID]) -> list[ExportedMessage]:
    found = Message.objects.select_related("generation").in_bulk(ids)
    return [_exported(found[pk]) for pk in ids if pk in found]


def _after(conversation: Conversation, last: uuid.UUID | None) -> list[ExportedMessage]:
    rows = conversation.messages.select_related("generation").order_by("id")
    return [_exported(row) for row in (rows.filter(pk__gt=last) if last else rows)[:BATCH_SIZE]]


def _exported(message: Message) -> ExportedMessage:
    generation: Generation | None = getattr(message, "generation", None)
    return message, generation, message_text.text_so_far(message, generation)
