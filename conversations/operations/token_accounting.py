"""Counts the tokens of ended answers whose provider reported no usage."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models import Generation, ServerProcess
from conversations.models.message import Message
from conversations.providers import prompt
from conversations.providers.catalog.model_catalog import catalog
from conversations.providers.token_counter import estimated_tokens, tokenizer
from conversations.rules.status import Status
from conversations.storage.db_threads import in_background
from conversations.storage.token_usage import store_answer

COUNT_INTERVAL = 2.0
"""Seconds between two checks for uncounted answers."""

BATCH_SIZE = 20
"""Answers counted in one pass."""

MAX_AGE_DAYS = 2
"""Answers that ended earlier stay uncounted."""


@dataclass(frozen=True, slots=True)
class UncountedGeneration:
    """An answer to count: the texts of the prompt, and the text that was written."""

    generation: uuid.UUID
    turns: tuple[str, ...]
    written: str


async def count_tokens(process: uuid.UUID) -> None:
    """Count answers that this process ended, and those that dead processes left.

    Counts on threads. May be cancelled; the rest is counted later. Raises django.db.Error.
    """
    waiting = await in_background(uncounted, process)
    for sent in waiting:
        counts = [await asyncio.to_thread(_count_text, text) for text in (*sent.turns, sent.written)]
        await in_background(store_answer, sent.generation, sum(counts[:-1]), counts[-1])
    if not waiting:
        await asyncio.to_thread(tokenizer.end_if_idle)


def _count_text(text: str) -> int:
    counted = tokenizer.count_in_background(text)
    return estimated_tokens(len(text)) if counted is None else counted


def uncounted(process: uuid.UUID) -> list[UncountedGeneration]:
    """The next answers to count. Each process has its own; the oldest living one also has those of dead processes."""
    mine = Q(owner_id=process)
    alive = ServerProcess.objects.filter(renewed_at__gt=Now() - timedelta(seconds=settings.CHAT_LEASE))
    if alive.order_by("started_at", "pk").values_list("pk", flat=True).first() == process:
        mine |= Q(owner_id=None) | ~Q(owner_id__in=alive.values("pk"))
    generations = (
        Generation.objects.exclude(status=Status.STREAMING)
        .filter(mine, Q(opened_at__isnull=False) | Q(characters__gt=0), usage_final=False)
        .filter(ended_at__gt=timezone.now() - timedelta(days=MAX_AGE_DAYS))
        .select_related("message", "conversation", "continued_from")
        .order_by("ended_at")[:BATCH_SIZE]
    )
    return [_load(each) for each in generations]


def _load(generation: Generation) -> UncountedGeneration:
    branch = Message.objects.branch(generation.message.parent_id)[generation.turns_dropped :]
    turns = prompt.turns(catalog.find(generation.model), generation.conversation, branch, generation.continued_from)
    written = generation.message.content[-generation.characters :] if generation.characters else ""
    return UncountedGeneration(generation.pk, tuple(turn["content"] for turn in turns), written)
