"""Writes conversations into the database without a provider."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from conversations.models import Conversation, Generation, Kind, Message, Role, SearchEntry
from conversations.models.ids import new_id
from conversations.operations import search_index
from conversations.rules.status import EndReason, Status
from tests.support.people import Person
from tests.support.polling import eventually

LONG = 140
"""The number of messages in a conversation that a page does not load at once."""


def conversation(person: Person, title: str = "About bees", *, ago: timedelta = timedelta(), **fields: Any) -> Any:
    """A conversation with one prompt and its answer, last active `ago`."""
    at = timezone.now() - ago
    created = Conversation.objects.create(owner=person.user, title=title, active_at=at, **fields)
    prompt = Message.objects.create(conversation=created, role=Role.USER, content=f"Tell me {title.lower()}")
    answer = Message.objects.create(conversation=created, parent=prompt, role=Role.ASSISTANT, content="Bees hum")
    created.show(answer.pk)
    return created


def converse(person, texts: Sequence[str], parent: Message | None = None, conversation: Conversation | None = None):
    """Create or extend a conversation in which these texts alternate between the person and the model.

    Returns the conversation and the new messages.
    """
    conversation = conversation or Conversation.objects.create(owner=person.user, title="Bees")
    messages = []
    for index, text in enumerate(texts):
        role = Role.ASSISTANT if index % 2 else Role.USER
        parent = Message(pk=new_id(), conversation=conversation, parent=parent, role=role, content=text)
        messages.append(parent)
    Message.objects.bulk_create(messages)
    Generation.objects.bulk_create(
        Generation(
            conversation=conversation,
            message=message,
            requested_by=person.user,
            kind=Kind.REPLY,
            model="m",
            status=Status.COMPLETE,
            end_reason=EndReason.FINISHED,
            ended_at=message.created_at,
        )
        for message in messages
        if message.role == Role.ASSISTANT
    )
    conversation.show(messages[-1].pk)
    return conversation, messages


def searchable_messages(person, *contents, title="Notes", **fields):
    """The messages of a new conversation, already in the search index."""
    created = conversation(person, title, **fields)
    parent, messages = created.head_id, []
    for content in contents:
        messages.append(Message.objects.create(conversation=created, parent_id=parent, role="user", content=content))
        parent = messages[-1].pk
    created.show(parent)
    wait_indexed()
    return messages


def wait_indexed():
    """Index all messages. The server indexes too, so some entries may be its work."""
    search_index.index_batch()
    eventually(lambda: not SearchEntry.objects.filter(vector=None).exists(), "the index")


def action_path(conversation: Conversation, action: str) -> str:
    return f"/c/{conversation.pk}/{action}/"
