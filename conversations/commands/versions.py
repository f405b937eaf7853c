"""Switching between versions of a message: each comes back with the messages that last followed it on screen."""

import uuid

from django.db import transaction

from conversations.models import Conversation, Message
from conversations.models.conversation import parse_id


@transaction.atomic
def switch_to(message: Message) -> None:
    """Put this version on screen, with the branch after it that was on screen last, else the newest.

    Locks the conversation, so that a command at the same moment and this do not overwrite each other's changes.
    """
    conversation = message.conversation = Conversation.objects.select_for_update().get(pk=message.conversation_id)
    left = _on_screen(conversation, message)
    if left == message.pk:
        return
    if left is not None:
        conversation.leaves[str(left)] = str(conversation.head_id)
    conversation.show(_leaf(conversation, message))


def show_branch(conversation: Conversation, leaf: uuid.UUID | None) -> None:
    """Show the branch that ends in `leaf`, for a page that was linked to it, without storing that. Changes nothing if
    that branch is on screen, or somebody has continued from there."""
    if leaf is None or Message.objects.on_branch(conversation.head_id, {leaf}) is not None:
        return
    found = conversation.messages.filter(pk=leaf).first()
    if found is not None:
        conversation.show_temporarily(found)


def _on_screen(conversation: Conversation, message: Message) -> uuid.UUID | None:
    """The version of `message` that is on screen; None if the branch on screen does not contain one."""
    versions = set(Message.objects.versions_of(message).values_list("pk", flat=True))
    return Message.objects.on_branch(conversation.head_id, versions)


def _leaf(conversation: Conversation, message: Message) -> uuid.UUID:
    """The leaf to show for this message. A remembered leaf may be gone, so it counts only if it follows the message."""
    known = parse_id(conversation.leaves.get(str(message.pk), ""))
    if known is None or Message.objects.on_branch(known, {message.pk}) is None:
        known = message.pk
    return Message.objects.newest_leaf(known)
