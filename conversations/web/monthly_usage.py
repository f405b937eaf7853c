"""A person's usage in the current month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from conversations.models import Generation, UsageSource
from conversations.rendering.usage_text import money, tokens

from .request_type import User


@dataclass(frozen=True, slots=True)
class MonthlyUsage:
    """Usage since `since`, in words. `costs` has one line per currency. `estimated`: some of it is."""

    since: datetime
    answers: int
    tokens_in: str
    tokens_out: str
    costs: Sequence[str]
    estimated: bool


def this_month(user: User) -> MonthlyUsage | None:
    """The usage of the calendar month in the current time zone; None if usage is not shown to people."""
    if settings.CHAT_SHOW_USAGE == "no":
        return None
    since = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    own = Generation.objects.filter(requested_by_id=user.pk, requested_at__gte=since)
    total = own.aggregate(
        answers=Count("pk"),
        tokens_in=Sum("tokens_in"),
        tokens_out=Sum("tokens_out"),
        estimated=Count("pk", filter=Q(usage_source=UsageSource.ESTIMATED)),
    )
    costs: list[str] = []
    if settings.CHAT_SHOW_USAGE == "cost":
        sums = own.filter(cost__isnull=False).values_list("currency").annotate(Sum("cost")).order_by("currency")
        costs = [money(amount, currency) for currency, amount in sums]
    return MonthlyUsage(
        since,
        total["answers"],
        tokens(total["tokens_in"] or 0),
        tokens(total["tokens_out"] or 0),
        costs,
        total["estimated"] > 0,
    )
