"""The bar chart of the summary: generations by status over time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.formats import date_format

from conversations.operations.summary.periods import DAY, HOUR
from conversations.rules.status import Status

from .number_text import whole

MAX_BARS = 92
MIN_WIDTH = 14
"""Columns: bars per chart; and the width that keeps a single bar narrow."""

LABEL_FORMATS = {"hour": "DATETIME_FORMAT", "month": "YEAR_MONTH_FORMAT"}

STATUS_ORDER = (Status.COMPLETE, Status.INTERRUPTED, Status.ERROR, Status.STREAMING)


@dataclass(frozen=True, slots=True)
class Bar:
    """One column, as text for the template. `x` counts columns; heights are percent of the highest column."""

    label: str
    said: str
    counts: list[str]
    parts: list[dict[str, str]]
    x: str


def _column_start(at: datetime, step: str) -> datetime:
    if step == "week":
        return at - timedelta(days=at.weekday())
    return at.replace(day=1) if step == "month" else at


def _next_column(at: datetime, step: str) -> datetime:
    if step == "month":
        return (at + timedelta(days=31)).replace(day=1)
    return at + {"hour": HOUR, "day": DAY, "week": 7 * DAY}[step]


def fill_columns(times: dict[datetime, dict[str, int]], step: str) -> dict[datetime, dict[str, int]]:
    """Generations by status of each hour, day, week or month from the first to the last, with empty columns."""
    columns: dict[datetime, dict[str, int]] = {}
    if times:
        at, last = _column_start(min(times), step), max(times)
        while at <= last:
            columns[at] = {}
            at = _next_column(at, step)
    for each, counts in times.items():
        column = columns[_column_start(each, step)]
        for status, count in counts.items():
            column[status] = column.get(status, 0) + count
    return columns


def make_bar(number: int, at: datetime, counts: dict[str, int], highest: int, step: str) -> Bar:
    parts, top = [], 100.0
    for status in STATUS_ORDER:
        height = 100 * counts.get(status, 0) / highest
        top -= height
        if height:
            parts.append({"status": status.value, "y": f"{top:.3f}", "height": f"{height:.3f}"})
    return Bar(
        label=date_format(at, LABEL_FORMATS.get(step, "DATE_FORMAT")),
        said=", ".join(f"{whole(counts[status])} {status.label}" for status in STATUS_ORDER if counts.get(status))
        or "0",
        counts=[whole(counts.get(status, 0)) for status in STATUS_ORDER],
        parts=parts,
        x=f"{number + 0.08:.2f}",
    )
