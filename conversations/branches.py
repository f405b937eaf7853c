"""Switching between versions: each comes back with what followed it when it was last on screen."""

import uuid

from .models import Conversation, Message
from .models.conversation import parse_id


def switch_to(message: Message) -> None:
    """Put this version on screen: the branch behind it that was there last, else the newest."""
    conversation = message.conversation
    left = _on_screen(conversation, message)
    if left == message.pk:
        return
    if left is not None:
        conversation.leaves[str(left)] = str(conversation.head_id)
    conversation.show(_leaf(conversation, message))


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
