"""All messages of a conversation as JSON."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
from django.utils import timezone

from conversations.models import Conversation, Generation, Message
from conversations.rendering import message_text
from conversations.storage.db_threads import in_database

from . import exported_messages


class Record(msgspec.Struct):
    """A message in the file. `reason`, `note`: why an answer ended, the latter as the page says it. `on_screen`: it is
    on the branch on screen."""

    id: uuid.UUID
    parent: uuid.UUID | None
    role: str
    status: str
    reason: str
    note: str
    model: str
    created_at: datetime
    on_screen: bool
    content: str


async def json(conversation: Conversation) -> AsyncIterator[str]:
    """The file in parts: the conversation, then one for each message. For deleted conversations, too."""
    head = {
        "id": conversation.pk,
        "title": conversation.title,
        "created_at": conversation.created_at,
        "exported_at": timezone.now(),
        "head": conversation.head_id,
    }
    branch = set(await in_database(Message.objects.branch_ids, conversation.head_id))
    yield _encode(head).removesuffix("}") + ',"messages":['
    separator = "\n"
    async for message, generation, text in exported_messages.all_messages(conversation):
        yield separator + _encode(_record(message, generation, text, on_screen=message.pk in branch))
        separator = ",\n"
    yield "\n]}\n"


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _record(message: Message, generation: Generation | None, text: str, *, on_screen: bool) -> Record:
    return Record(
        id=message.pk,
        parent=message.parent_id,
        role=message.role,
        status=message.status,
        reason=generation.end_reason if generation else "",
        note=message_text.end_note(generation, text) if generation else "",
        model=generation.model if generation else "",
        created_at=message.created_at,
        on_screen=on_screen,
        content=text,
    )
