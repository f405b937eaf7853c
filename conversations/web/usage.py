"""What a person used in the current month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Q, Sum
from django.utils import timezone

from conversations.models import Generation, UsageSource
from conversations.rendering.usage_text import money, tokens


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
