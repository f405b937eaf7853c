"""What stands around an answer: the turns before and after it, and what replaced it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.models import Generation, Kind, Message

from .base import answer

BEFORE = 6
AFTER = 4
"""Messages: three turns and two."""

ANCESTORS = """
WITH RECURSIVE above AS (
    SELECT m.*, 0 AS depth FROM conversations_message m WHERE m.id = %s
    UNION ALL
    SELECT m.*, a.depth + 1 FROM conversations_message m JOIN above a ON m.id = a.parent_id WHERE a.depth < %s
)
SELECT * FROM above ORDER BY depth DESC
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message as it is shown. `here`: the answer that the page is about."""

    message: Message
    html: SafeString
    here: bool


@dataclass(frozen=True, slots=True)
class Replacement:
    """A run that came instead of this one, or after it. `how`, in words."""

    how: Any
    generation: Generation


def turns(message: Message) -> tuple[list[Turn], bool, bool]:
    """(some turns up to this message and behind it, oldest first; whether there are others before, after)."""
    above = list(Message.objects.raw(ANCESTORS, [message.pk, BEFORE]))
    below = _below(message)
    shown = [*above, *below[:AFTER]]
    generations = Generation.objects.in_bulk([each.pk for each in shown], field_name="message_id")
    found = [Turn(each, answer(each, generations.get(each.pk)), each.pk == message.pk) for each in shown]
    return found, bool(above) and above[0].parent_id is not None, len(below) > AFTER


def _below(message: Message) -> list[Message]:
    """The newest of what follows, one more than is shown."""
    found: list[Message] = []
    while len(found) <= AFTER:
        following = (found[-1] if found else message).replies.order_by("-id").first()
        if following is None:
            break
        found.append(following)
    return found


def replacements(generation: Generation) -> list[Replacement]:
    """Newer versions of this answer, answers to newer versions of its prompt, and the answer to the prompt that
    followed. Oldest first."""
    message = generation.message
    prompt = message.parent
    runs = Generation.objects.select_related("message__parent").filter(conversation_id=generation.conversation_id)
    others = Q(message__parent__parent_id=message.pk)
    if prompt is not None:
        others |= Q(message__parent_id=prompt.pk, message_id__gt=message.pk) | Q(
            message__parent_id__in=_newer_versions(prompt)
        )
    return [Replacement(_how(generation, later), later) for later in runs.filter(others).order_by("pk")]


def _newer_versions(prompt: Message) -> Sequence[uuid.UUID]:
    return list(Message.objects.versions_of(prompt).filter(pk__gt=prompt.pk).values_list("pk", flat=True))


def _how(generation: Generation, later: Generation) -> Any:
    message = generation.message
    if later.message.parent_id != message.parent_id:
        follows = later.message.parent is not None and later.message.parent.parent_id == message.pk
        return _("answer to the next prompt") if follows else _("answer to the edited prompt")
    if later.kind == Kind.CONTINUE:
        own = later.continued_from_id == message.pk
        return _("continued") if own else _("another version, continued")
    return _("written again")
