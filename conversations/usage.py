"""What answers used and cost: counted after their end where the provider did not say, shown to people where allowed."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import ngettext

from . import history
from .catalogue import catalogue
from .database import in_background
from .models import Generation, ServerProcess, UsageSource
from .models.message import Message
from .outcomes import Status
from .tokens import rough, tokenizer

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
        await in_background(store, sent.generation, sum(counts[:-1]), counts[-1])
    if not waiting:
        await asyncio.to_thread(tokenizer.rest)


def _count(text: str) -> int:
    counted = tokenizer.count_behind(text)
    return rough(len(text)) if counted is None else counted


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
    turns = history.turns(catalogue.find(run.model), run.conversation, branch, run.continued_from)
    written = run.message.content[-run.characters :] if run.characters else ""
    return Sent(run.pk, tuple(turn["content"] for turn in turns), written)


@transaction.atomic
def store(generation: uuid.UUID, tokens_in: int, tokens_out: int) -> None:
    """The first count stays, with what it cost at the price that the answer began with; to it comes what its title
    took. `tokens_out`: of the text alone; what was thought was counted while it came."""
    ended = Generation.objects.exclude(status=Status.STREAMING)
    run = ended.select_for_update(of=("self",)).filter(pk=generation, usage_final=False).first()
    if run is None:
        return
    run.tokens_in = tokens_in + (run.title_tokens_in or 0)
    run.tokens_out = tokens_out + run.thought_tokens + (run.title_tokens_out or 0)
    run.usage_source, run.usage_final, run.cost = UsageSource.ESTIMATED, True, run.price()
    run.save(update_fields=["tokens_in", "tokens_out", "usage_source", "usage_final", "cost"])


@transaction.atomic
def store_title(generation: uuid.UUID, tokens_in: int, tokens_out: int, *, estimated: bool) -> None:
    """What the request for a title took is part of what the answer took after which it was asked for: so it is in every
    sum. It is kept apart, too, as the answer's own figures are shown under it."""
    run = Generation.objects.select_for_update(of=("self",)).filter(pk=generation, title_tokens_in=None).first()
    if run is None:
        return
    run.title_tokens_in, run.title_tokens_out = tokens_in, tokens_out
    run.tokens_in, run.tokens_out = (run.tokens_in or 0) + tokens_in, (run.tokens_out or 0) + tokens_out
    run.cost = run.price()
    if estimated:
        run.usage_source = UsageSource.ESTIMATED
    run.save(update_fields=["title_tokens_in", "title_tokens_out", "tokens_in", "tokens_out", "usage_source", "cost"])


# --- what people see -------------------------------------------------------------------------------------------------


def of(run: Generation) -> str:
    """Tokens and cost of an answer in one line; "" where there are none, or nothing of it is shown. What the title of
    the conversation took stands in the sums only."""
    tokens_in, tokens_out = run.of_answer
    if settings.CHAT_SHOW_USAGE == "no" or tokens_in is None or tokens_out is None:
        return ""
    about = "≈ " if run.usage_source == UsageSource.ESTIMATED else ""
    line = f"{about}{tokens(tokens_in + tokens_out)}"
    price = money(run.cost_of_answer, run.currency) if settings.CHAT_SHOW_USAGE == "cost" else ""
    return f"{line} · {price}" if price else line


def tokens(count: int) -> str:
    return ngettext("%(count)s token", "%(count)s tokens", count) % {"count": number_format(count, force_grouping=True)}


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency; small ones with as many places as it takes to see something."""
    if amount is None or not currency:
        return ""
    places = 2 if amount >= 1 or not amount else min(8, 1 - amount.adjusted())
    return f"{number_format(round(amount, places), places, force_grouping=True)} {currency}"


@dataclass(frozen=True, slots=True)
class Month:
    """What somebody used since `since`. `costs` has one line for each currency."""

    since: datetime
    answers: int
    tokens_in: str
    tokens_out: str
    costs: Sequence[str]
    estimated: bool


def month(user: AbstractBaseUser | AnonymousUser) -> Month | None:
    """The person's calendar month so far; None where it is not shown."""
    if settings.CHAT_SHOW_USAGE == "no":
        return None
    since = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    mine = Generation.objects.filter(requested_by_id=user.pk, requested_at__gte=since)
    total = mine.aggregate(
        answers=Count("pk"),
        into=Sum("tokens_in"),
        out=Sum("tokens_out"),
        estimated=Count("pk", filter=Q(usage_source=UsageSource.ESTIMATED)),
    )
    costs: list[str] = []
    if settings.CHAT_SHOW_USAGE == "cost":
        sums = mine.filter(cost__isnull=False).values_list("currency").annotate(Sum("cost")).order_by("currency")
        costs = [money(amount, currency) for currency, amount in sums]
    return Month(
        since, total["answers"], tokens(total["into"] or 0), tokens(total["out"] or 0), costs, total["estimated"] > 0
    )
