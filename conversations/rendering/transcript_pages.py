"""The part of a long branch that a page shows: the last messages, or those around one of them.

Opening a conversation costs by the window, not by what stands before it.
"""

import uuid
from dataclasses import dataclass

from conversations.models import Conversation, Message

MESSAGES = 30
SIZE = 100_000
"""Messages and bytes of text that are loaded at once; of a longer message at least that one."""


@dataclass(frozen=True, slots=True)
class Window:
    """Messages of a branch in a row, oldest first; `older`, `newer`: whether more stand before them, behind them."""

    messages: list[Message]
    older: bool = False
    newer: bool = False


def latest(conversation: Conversation) -> Window:
    """The end of the branch on screen."""
    return _window(conversation, Message.objects.branch(conversation.head_id, limit=MESSAGES, size=SIZE))


def around(conversation: Conversation, message: Message) -> Window:
    """The messages around this one. If it is not on the branch on screen, this page looks at another one; nothing is
    stored, because a look may come from a browser that fetches links ahead."""
    end = latest(conversation)
    if any(each.pk == message.pk for each in end.messages):
        return end
    following = _from(conversation, message.pk)
    if not following:
        conversation.look_at(Message.objects.get(pk=Message.objects.newest_leaf(message.pk)))
        following = _from(conversation, message.pk)
    before = Message.objects.branch(message.parent_id, limit=MESSAGES // 2, size=SIZE // 2)
    return _window(conversation, before + following)


def before(conversation: Conversation, message: Message) -> Window:
    """What stands before a message, on the one branch that leads to it."""
    found = Message.objects.branch(message.parent_id, limit=MESSAGES, size=SIZE)
    return Window(found, older=_has_older(found))


def after(conversation: Conversation, message: Message) -> Window | None:
    """What follows a message on the branch on screen; None if it is not on that."""
    found = Message.objects.branch_from(message.pk, conversation.head_id, limit=MESSAGES + 1, size=SIZE)
    if not found:
        return None
    window = _window(conversation, found)
    return Window(window.messages[1:], newer=window.newer)


def _from(conversation: Conversation, message: uuid.UUID) -> list[Message]:
    return Message.objects.branch_from(message, conversation.head_id, limit=MESSAGES // 2 + 1, size=SIZE // 2)


def _window(conversation: Conversation, messages: list[Message]) -> Window:
    newer = bool(messages) and messages[-1].pk != conversation.head_id
    return Window(messages, older=_has_older(messages), newer=newer)


def _has_older(messages: list[Message]) -> bool:
    return bool(messages) and messages[0].parent_id is not None
