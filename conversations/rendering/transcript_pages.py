"""The part of a long branch that is shown: its last messages, or those around one of them.

Opening a conversation costs as much as that part, however long the branch is.
"""

import uuid
from dataclasses import dataclass

from conversations.models import Conversation, Message

MAX_MESSAGES = 30
MAX_BYTES = 100_000
"""Messages, and bytes of their text, on one page. A page has at least one message, even if that is longer."""


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """Consecutive messages of a branch, oldest first. `older`, `newer`: whether there are more before and after."""

    messages: list[Message]
    older: bool = False
    newer: bool = False


def latest(conversation: Conversation) -> TranscriptPage:
    """The end of the branch on screen."""
    return _page(conversation, Message.objects.branch(conversation.head_id, limit=MAX_MESSAGES, size=MAX_BYTES))


def around(conversation: Conversation, message: Message) -> TranscriptPage:
    """The messages around this one. If it is not on the branch on screen, `conversation` temporarily shows a branch
    that contains it. Nothing is stored: the request may come from a browser that prefetches links."""
    end = latest(conversation)
    if any(each.pk == message.pk for each in end.messages):
        return end
    following = _from(conversation, message.pk)
    if not following:
        conversation.show_temporarily(Message.objects.get(pk=Message.objects.newest_leaf(message.pk)))
        following = _from(conversation, message.pk)
    preceding = Message.objects.branch(message.parent_id, limit=MAX_MESSAGES // 2, size=MAX_BYTES // 2)
    return _page(conversation, preceding + following)


def before(conversation: Conversation, message: Message) -> TranscriptPage:
    """The messages that lead to this one."""
    found = Message.objects.branch(message.parent_id, limit=MAX_MESSAGES, size=MAX_BYTES)
    return TranscriptPage(found, older=_has_older(found))


def after(conversation: Conversation, message: Message) -> TranscriptPage | None:
    """The messages that follow this one on the branch on screen; None if it is not on that branch."""
    found = Message.objects.branch_from(message.pk, conversation.head_id, limit=MAX_MESSAGES + 1, size=MAX_BYTES)
    if not found:
        return None
    page = _page(conversation, found)
    return TranscriptPage(page.messages[1:], newer=page.newer)


def _from(conversation: Conversation, message: uuid.UUID) -> list[Message]:
    limit, size = MAX_MESSAGES // 2 + 1, MAX_BYTES // 2
    return Message.objects.branch_from(message, conversation.head_id, limit=limit, size=size)


def _page(conversation: Conversation, messages: list[Message]) -> TranscriptPage:
    newer = bool(messages) and messages[-1].pk != conversation.head_id
    return TranscriptPage(messages, older=_has_older(messages), newer=newer)


def _has_older(messages: list[Message]) -> bool:
    return bool(messages) and messages[0].parent_id is not None
