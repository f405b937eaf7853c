"""The plan for reading a period: which parts come from cells of which span, and which from rows. No I/O."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .cells import Span
from .periods import DAY, HOUR, day_start, hour_start, month_start, next_month
from .watermarks import Watermarks

Range = tuple[datetime, datetime]
"""Start, and end (not included)."""


@dataclass(slots=True)
class ReadPlan:
    """Ranges to read from cells, by span, and ranges to read from rows. They do not overlap."""

    cells: dict[Span, list[Range]] = field(default_factory=lambda: {span: [] for span in Span})
    rows: list[Range] = field(default_factory=list)

    def merged(self) -> "ReadPlan":
        """The same plan with adjacent ranges joined and empty ones removed."""
        return ReadPlan({span: _merge(ranges) for span, ranges in self.cells.items()}, _merge(self.rows))


class Planner:
    """Plans with one state of the cells. `changed`: starts of days and hours whose rows changed since the roll-up."""

    def __init__(self, watermarks: Watermarks, changed: Collection[datetime]) -> None:
        self._watermarks = watermarks
        self._changed = changed
        self._changed_months = {month_start(at) for at in changed}

    def plan(self, since: datetime, until: datetime, first: datetime, finest: Span) -> ReadPlan:
        """The plan for `since` to before `until`, with no cell longer than `finest`. `first`: the oldest generation.

        Unchanged whole months are read as months, other days as days, recent hours as hours, and the rest from rows.
        """
        plan = ReadPlan()
        self._add_days(plan, max(since, month_start(first)), until, finest)
        self._add_hours(plan, max(since, self._watermarks.days), min(until, self._watermarks.hours))
        plan.rows.append((max(since, self._watermarks.hours), until))
        return plan.merged()

    def _add_days(self, plan: ReadPlan, at: datetime, until: datetime, finest: Span) -> None:
        end = min(until, self._watermarks.days)
        if finest == Span.HOUR:  # cells of days do not contain hours
            plan.rows.append((at, end))
            return
        while at < end:
            if finest == Span.MONTH and self._is_whole_month(at, until):
                following = next_month(at)
                plan.cells[Span.MONTH].append((at, following))
            else:
                following = at + DAY
                self._add(plan, Span.DAY, at, DAY)
            at = following

    def _add_hours(self, plan: ReadPlan, at: datetime, end: datetime) -> None:
        while at < end:
            self._add(plan, Span.HOUR, at, HOUR)
            at += HOUR

    def _add(self, plan: ReadPlan, span: Span, at: datetime, length: timedelta) -> None:
        start = day_start(at) if span == Span.DAY else hour_start(at)
        ranges = plan.rows if start in self._changed else plan.cells[span]
        ranges.append((at, at + length))

    def _is_whole_month(self, at: datetime, until: datetime) -> bool:
        whole = at == month_start(at) and next_month(at) <= min(until, self._watermarks.months)
        return whole and at not in self._changed_months


def _merge(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for begin, end in sorted(ranges):
        if begin >= end:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged
