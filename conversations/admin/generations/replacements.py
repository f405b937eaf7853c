"""What stands around an answer: the turns before and after it, and what replaced it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from conversations.models import Generation, Kind, Message


@dataclass(frozen=True, slots=True)
class Replacement:
    """A run that came instead of this one, or after it. `how`, in words."""

    how: Any
    generation: Generation


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
    return [Replacement(_relation(generation, later), later) for later in runs.filter(others).order_by("pk")]


def _newer_versions(prompt: Message) -> Sequence[uuid.UUID]:
    return list(Message.objects.versions_of(prompt).filter(pk__gt=prompt.pk).values_list("pk", flat=True))


def _relation(generation: Generation, later: Generation) -> Any:
    message = generation.message
    if later.message.parent_id != message.parent_id:
        follows = later.message.parent is not None and later.message.parent.parent_id == message.pk
        return _("answer to the next prompt") if follows else _("answer to the edited prompt")
    if later.kind == Kind.CONTINUE:
        own = later.continued_from_id == message.pk
        return _("continued") if own else _("another version, continued")
    return _("written again")
