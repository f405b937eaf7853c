"""The branch on screen of a conversation as Markdown."""

import asyncio
import re
from collections.abc import AsyncIterator

from django.utils.translation import gettext as _

from conversations.models import Conversation, Generation, Message, Role
from conversations.rendering import message_text
from conversations.rules.status import Status

from . import exported_messages

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)", re.MULTILINE)


async def markdown(conversation: Conversation) -> AsyncIterator[str]:
    """The file in parts: the title, then one for each message."""
    yield f"# {' '.join(conversation.title.split())}\n"
    async for message in exported_messages.on_branch(conversation):
        yield await asyncio.to_thread(_section, *message)  # a search for fences through a text of any length


def _section(message: Message, generation: Generation | None, text: str) -> str:
    author = _("You") if message.role == Role.USER else _("Answer")
    if generation is not None:
        author = f"{author} ({generation.model})"
    note = _note(message, generation, text)
    return f"\n## {author}\n\n{_with_closed_fence(text.strip())}\n" + (f"\n> {note}\n" if note else "")


def _note(message: Message, generation: Generation | None, text: str) -> str:
    """The status of an answer that is not complete, with an explanation; "" for other messages."""
    if generation is None:
        return ""
    if message.status == Status.STREAMING:
        sentence = _("This answer was still being written.")
        return f"**streaming**: {sentence}"
    sentence = message_text.end_note(generation, text)
    return f"**{message.status}** ({generation.end_reason}): {sentence}" if sentence else ""


def _with_closed_fence(text: str) -> str:
    """The text, with the fence of a code block that was cut off, so that what follows is not part of the code."""
    open_fence = ""
    for fence, rest in _FENCE.findall(text):
        if not open_fence:
            open_fence = fence
        elif fence.startswith(open_fence) and not rest.strip():
            open_fence = ""
    return f"{text}\n{open_fence}" if open_fence else text
