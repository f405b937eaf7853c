"""The answers that replaced or followed a generation."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from conversations.models import Generation, Kind, Message


@dataclass(frozen=True, slots=True)
class Replacement:
    """A generation that replaced this one or followed it. `how`: its relation, as text."""

    how: Any
    generation: Generation


def replacements(generation: Generation) -> list[Replacement]:
    """Newer versions of this answer, answers to newer versions of its prompt, and answers to the next prompt.

    Oldest first.
    """
    message = generation.message
    prompt = message.parent
    generations = Generation.objects.select_related("message__parent").filter(
        conversation_id=generation.conversation_id
    )
    others = Q(message__parent__parent_id=message.pk)
    if prompt is not None:
        others |= Q(message__parent_id=prompt.pk, message_id__gt=message.pk) | Q(
            message__parent_id__in=_newer_versions(prompt)
        )
    return [Replacement(_relation(generation, later), later) for later in generations.filter(others).order_by("pk")]


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
    return _("regenerated")
