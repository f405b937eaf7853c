"""Conversations that are written into the database, without a provider."""

from collections.abc import Sequence

from conversations.models import Conversation, Generation, Kind, Message, Role, SearchEntry
from conversations.models.ids import new_id
from conversations.operations import search_index
from conversations.rules.status import EndReason, Status
from tests.support.shelves import conversation
from tests.support.waiting import eventually

LENGTH = 140


def converse(person, texts: Sequence[str], parent: Message | None = None, conversation: Conversation | None = None):
    """A conversation (or more of one) in which these texts alternate between the person and the model."""
    conversation = conversation or Conversation.objects.create(owner=person.user, title="Bees")
    messages = []
    for place, text in enumerate(texts):
        role = Role.ASSISTANT if place % 2 else Role.USER
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


def indexed():
    """All that is written is found. The server indexes as well, so a row may be its."""
    search_index.index_batch()
    eventually(lambda: not SearchEntry.objects.filter(vector=None).exists(), "the index")


def write(person, *contents, title="Notes", **fields):
    """A conversation with these messages, found already."""
    made = conversation(person, title, **fields)
    parent, messages = made.head_id, []
    for content in contents:
        messages.append(Message.objects.create(conversation=made, parent_id=parent, role="user", content=content))
        parent = messages[-1].pk
    made.show(parent)
    indexed()
    return messages
