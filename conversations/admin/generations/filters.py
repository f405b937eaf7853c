"""Filters of the list of generations."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from conversations.admin.filters import TypedFilter
from conversations.models.generation import NEEDS_REVIEW, REASONS_NEEDING_REVIEW
from conversations.rules.status import EndReason, Status

SAMPLE_SIZE = 20_000
"""The newest generations that are searched for the models and endpoints that a filter offers."""

RECENT_VALUES = """
SELECT DISTINCT newest.{column}
FROM (SELECT {column} FROM conversations_generation ORDER BY requested_at DESC LIMIT %s) AS newest
"""

REASONS_TO_REVIEW = tuple(
    reason for reason in EndReason if reason.status == Status.ERROR or reason in REASONS_NEEDING_REVIEW
)
"""`NEEDS_REVIEW` by reason alone: each reason belongs to one status."""


class PeriodFilter(TypedFilter):
    """From one day to another, both included, in the admin's time zone (`TIME_ZONE`)."""

    title: Any = format_lazy("{} ({})", _("day"), settings.TIME_ZONE)
    field = "requested_at"
    names = ("since", "until")
    kind = "date"

    def label(self, name: str) -> Any:
        return _("first day") if name == "since" else _("last day")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        since, until = (self._day(name) for name in self.names)
        if since is not None:
            queryset = queryset.filter(**{f"{self.field}__gte": _midnight(since)})
        if until is not None:
            queryset = queryset.filter(**{f"{self.field}__lt": _midnight(until + timedelta(days=1))})
        return queryset

    def _day(self, name: str) -> date | None:
        given = self.given(name)
        if not given:
            return None
        try:
            day = date.fromisoformat(given)
        except ValueError as error:
            raise IncorrectLookupParameters from error
        if not 1970 <= day.year < 9999:
            raise IncorrectLookupParameters
        return day


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class ReviewFilter(admin.SimpleListFilter):
    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("needed", _("needs review")), ("done", _("reviewed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "needed":
            return queryset.filter(NEEDS_REVIEW)
        if self.value() == "done":
            return queryset.filter(reviewed_at__isnull=False)
        if self.value() is not None:
            raise IncorrectLookupParameters
        return queryset


class ReasonFilter(admin.ChoicesFieldListFilter):
    """Adds the status that the reason implies, so that the database can use its index of unfinished answers."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found: Any = super().queryset(request, queryset)
        reason = self.lookup_val[-1] if self.lookup_val else None
        return found.filter(status=EndReason(reason).status) if reason in EndReason.values else found  # type: ignore[no-any-return]


class RecentValuesFilter(admin.AllValuesFieldListFilter):
    """Offers the values of recent generations; the query string accepts any value."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        column = connection.ops.quote_name(field.column)
        with connection.cursor() as cursor:
            cursor.execute(RECENT_VALUES.format(column=column), [SAMPLE_SIZE])
            self.lookup_choices = sorted(value for (value,) in cursor.fetchall() if value)  # type: ignore[assignment]
