"""The summary above the list, which covers exactly the generations that the list's filters select."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import EmptyResultSet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from conversations.operations.summary.cell_reader import SummaryTimeout
from conversations.operations.summary.figures import summarize
from conversations.operations.summary.selection import Condition, Selection

from .filters import REASONS_TO_REVIEW
from .summary_view import Overview

CELL_COLUMNS = {
    **{f"{column}__exact": column for column in ("status", "end_reason", "model", "endpoint", "kind")},
    "model": "model",
    "endpoint": "endpoint",
}
"""Columns of cells, by query parameter."""

REVIEW_CONDITIONS = {
    "needed": (Condition("reviewed", (False,)), Condition("end_reason", tuple(map(str, REASONS_TO_REVIEW)))),
    "done": (Condition("reviewed", (True,)),),
}


class SummaryMixin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """Gives the list's template an `overview`, if the person may see the list."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and "cl" in (response.context_data or {}):
            response.context_data["overview"] = overview(response.context_data["cl"])  # type: ignore[index]
        return response


def overview(changelist: ChangeList) -> Overview:
    """The figures of the list; without figures (`too_much`) if the summary timed out."""
    selected = selection(changelist)
    try:
        return Overview(summarize(selected))
    except SummaryTimeout:
        return Overview(None)


def selection(changelist: ChangeList) -> Selection:
    """The generations of the list. Filters without a column in cells (person, search) use the list's own query."""
    given = {name: [str(value) for value in values] for name, values in changelist.get_filters_params().items()}
    since, until = (_day(given.pop(name, [""])[-1]) for name in ("since", "until"))
    begin, end = _midnight(since), _midnight(until and until + timedelta(days=1))
    conditions = [*REVIEW_CONDITIONS.get(given.pop("review", [""])[-1], ())]
    conditions += [
        Condition(CELL_COLUMNS[name], tuple(given.pop(name))) for name in list(given) if name in CELL_COLUMNS
    ]
    unknown = [values for values in given.values() if any(value.strip() for value in values)]
    if not unknown and not changelist.query.strip():
        return Selection(begin, end, tuple(conditions))
    return Selection(begin, end, tuple(conditions), _query(changelist))


def _query(changelist: ChangeList) -> tuple[str, tuple[Any, ...]]:
    try:
        statement, values = changelist.queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return "SELECT NULL::uuid", ()
    return statement, tuple(values)


def _day(given: str) -> date | None:
    return date.fromisoformat(given.strip()) if given.strip() else None


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, UTC)
