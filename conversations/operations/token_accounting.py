"""Counts the tokens of answers after their end, where the provider did not say."""

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

EVERY = 2.0
"""Seconds between two looks for answers whose tokens are to be counted."""

MOST = 20
"""Answers that are counted at one look."""

DAYS = 2
"""What ended longer ago than that stays as it is."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What went to the provider and what came of it, as far as the database knows."""

    generation: uuid.UUID
    turns: tuple[str, ...]
    written: str


# --- counting --------------------------------------------------------------------------------------------------------


async def count(process: uuid.UUID) -> None:
    """Count what this process ended and nobody counted yet, and what dead processes left. Cancelling leaves the rest
    for another look."""
    waiting = await in_background(uncounted, process)
    for sent in waiting:
        counts = [await asyncio.to_thread(_count, text) for text in (*sent.turns, sent.written)]
        await in_background(store_answer, sent.generation, sum(counts[:-1]), counts[-1])
    if not waiting:
        await asyncio.to_thread(tokenizer.end_if_idle)


def _count(text: str) -> int:
    counted = tokenizer.count_in_background(text)
    return estimated_tokens(len(text)) if counted is None else counted


def uncounted(process: uuid.UUID) -> list[Sent]:
    """Each process counts its own, and the eldest what dead ones left, so that none counts what another does."""
    mine = Q(owner_id=process)
    alive = ServerProcess.objects.filter(renewed_at__gt=Now() - timedelta(seconds=settings.CHAT_LEASE))
    if alive.order_by("started_at", "pk").values_list("pk", flat=True).first() == process:
        mine |= Q(owner_id=None) | ~Q(owner_id__in=alive.values("pk"))
    runs = (
        Generation.objects.exclude(status=Status.STREAMING)
        .filter(mine, Q(opened_at__isnull=False) | Q(characters__gt=0), usage_final=False)
        .filter(ended_at__gt=timezone.now() - timedelta(days=DAYS))
        .select_related("message", "conversation", "continued_from")
        .order_by("ended_at")[:MOST]
    )
    return [_sent(run) for run in runs]


def _sent(run: Generation) -> Sent:
    branch = Message.objects.branch(run.message.parent_id)[run.turns_dropped :]
    turns = prompt.turns(catalog.find(run.model), run.conversation, branch, run.continued_from)
    written = run.message.content[-run.characters :] if run.characters else ""
    return Sent(run.pk, tuple(turn["content"] for turn in turns), written)
