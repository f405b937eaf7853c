"""Switching between versions: each comes back with what followed it when it was last on screen."""

import uuid

from django.db import transaction

from conversations.models import Conversation, Message
from conversations.models.conversation import parse_id


@transaction.atomic
def switch_to(message: Message) -> None:
    """Put this version on screen: the branch behind it that was there last, else the newest. Waits for a command that
    changes the conversation at the same moment, so that neither undoes what the other has stored."""
    conversation = message.conversation = Conversation.objects.select_for_update().get(pk=message.conversation_id)
    left = _on_screen(conversation, message)
    if left == message.pk:
        return
    if left is not None:
        conversation.leaves[str(left)] = str(conversation.head_id)
    conversation.show(_leaf(conversation, message))


def show_branch(conversation: Conversation, leaf: uuid.UUID | None) -> None:
    """What a page goes on looking at that was led to this branch: until somebody has gone on from there, and it is the
    one on screen."""
    if leaf is None or Message.objects.on_branch(conversation.head_id, {leaf}) is not None:
        return
    found = conversation.messages.filter(pk=leaf).first()
    if found is not None:
        conversation.look_at(found)


def _on_screen(conversation: Conversation, message: Message) -> uuid.UUID | None:
    """The version of `message` on the branch on screen, if that gets there."""
    versions = set(Message.objects.versions_of(message).values_list("pk", flat=True))
    return Message.objects.on_branch(conversation.head_id, versions)


def _leaf(conversation: Conversation, message: Message) -> uuid.UUID:
    """A leaf is remembered by somebody's page and may be long gone: it counts only if it is behind the message."""
    known = parse_id(conversation.leaves.get(str(message.pk), ""))
    if known is None or Message.objects.on_branch(known, {message.pk}) is None:
        known = message.pk
    return Message.objects.newest_leaf(known)
