"""Keeps the cells: adds up hours that are over, later whole days and months, and again what changed since.

Settled is what lies before `SummaryState`; everything behind it is read from the rows. Who settles holds a lock for
itself, who reads holds it together with others, so nobody sees an hour twice or not at all. Triggers note the moment of
each row that changes when it is older than ten minutes; an hour is settled a quarter of an hour after its end, so a
change that was not noted has long been written by then.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from .cells import COLUMNS, KEYS, Measure, Span, of_rows

EVERY = 60.0
"""Seconds between two rounds."""

LOCK = 0x5E771ED
SETTLED_AFTER = timedelta(minutes=15)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
BUDGET = 0.3
"""Seconds that one turn may take, about: readers wait for it."""

ALL = [measure.value for measure in Measure]

FORGET = "DELETE FROM conversations_summarycell WHERE span = ANY(%(spans)s) AND since >= %(begin)s AND since < %(end)s"
ADD_UP = f"""
INSERT INTO conversations_summarycell ({COLUMNS})
{of_rows("g.requested_at >= %(begin)s AND g.requested_at < %(end)s")} ORDER BY measure
"""
ALIKE = KEYS.removeprefix("span, since, ")
ADD_UP_DAYS = f"""
INSERT INTO conversations_summarycell ({COLUMNS})
SELECT 2, %(begin)s, {ALIKE}, sum(runs), sum(total), sum(tokens_in), sum(tokens_out), sum(cost)
FROM conversations_summarycell WHERE span = 1 AND since >= %(begin)s AND since < %(end)s
GROUP BY {ALIKE} ORDER BY measure
"""
SAVE = """
INSERT INTO conversations_summarystate (id, months_until, days_until, hours_until) VALUES (1, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET
    months_until = EXCLUDED.months_until, days_until = EXCLUDED.days_until, hours_until = EXCLUDED.hours_until
"""


@dataclass(slots=True)
class Settled:
    """Up to when there are cells. Months end before days, days before hours."""

    months: datetime = ALWAYS
    days: datetime = ALWAYS
    hours: datetime = ALWAYS


def settle() -> bool:
    """One turn. True if there is more to do at once. Any number of processes may try; one of them does it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(_one(cursor)) and _Turn(cursor).take()


class _Turn:
    def __init__(self, cursor: CursorWrapper) -> None:
        self._cursor = cursor
        self._deadline = time.monotonic() + BUDGET
        cursor.execute("SELECT clock_timestamp()")
        self._now: datetime = _one(cursor)
        self._settled = settled(cursor)
        if self._settled.hours == ALWAYS:
            first = min(self._next_run(None) or self._now, self._now - DAY)
            self._settled = Settled(month(first), month(first), month(first))

    def take(self) -> bool:
        """In this order, because months are made of days."""
        more = (
            self._again() or self._days_that_are_over() or self._months_that_are_over() or self._hours_that_are_over()
        )
        self._cursor.execute(SAVE, [self._settled.months, self._settled.days, self._settled.hours])
        return more

    def _again(self) -> bool:
        """What changed since it was settled. A note is removed before its span is read, so whatever it stands for is
        seen. Returns whether something is left."""
        self._cursor.execute("DELETE FROM conversations_summarychange WHERE at >= %s", [self._settled.hours])
        while not self._late():
            self._cursor.execute("SELECT min(at) FROM conversations_summarychange")
            changed: datetime | None = _one(self._cursor)
            if changed is None:
                return False
            daily = changed < self._settled.days
            begin = day(changed) if daily else hour(changed)
            self._cursor.execute(
                "DELETE FROM conversations_summarychange WHERE at >= %s AND at < %s",
                [begin, begin + (DAY if daily else HOUR)],
            )
            self._add_day(begin) if daily else self._add_hour(begin)
            if begin < self._settled.months:
                self._add_month(month(begin))
        return True

    def _days_that_are_over(self) -> bool:
        limit = day(self._now) - DAY
        while self._settled.days < limit:
            if self._late():
                return True
            following = self._next_run(self._settled.days)
            at = limit if following is None else max(self._settled.days, min(limit, day(following)))
            if at < limit:
                self._add_day(at)
                at += DAY
            self._settled.days = at
            self._settled.hours = max(self._settled.hours, at)
        return False

    def _months_that_are_over(self) -> bool:
        while (end := next_month(self._settled.months)) <= self._settled.days:
            if self._late():
                return True
            self._add_month(self._settled.months)
            self._settled.months = end
        return False

    def _hours_that_are_over(self) -> bool:
        limit = hour(self._now - SETTLED_AFTER)
        while self._settled.hours < limit:
            if self._late():
                return True
            following = self._next_run(self._settled.hours)
            at = limit if following is None else max(self._settled.hours, min(limit, hour(following)))
            if at < limit:
                self._add_hour(at)
                at += HOUR
            self._settled.hours = at
        return False

    def _next_run(self, since: datetime | None) -> datetime | None:
        """When the next run was asked for: hours and days without any need not be looked at."""
        self._cursor.execute(
            "SELECT min(requested_at) FROM conversations_generation WHERE requested_at >= %s", [since or ALWAYS]
        )
        found: datetime | None = _one(self._cursor)
        return found

    def _add_hour(self, begin: datetime) -> None:
        self._add(ADD_UP, Span.HOUR, begin, begin + HOUR, [Span.HOUR])

    def _add_day(self, begin: datetime) -> None:
        self._add(ADD_UP, Span.DAY, begin, begin + DAY, [Span.HOUR, Span.DAY])

    def _add_month(self, begin: datetime) -> None:
        self._add(ADD_UP_DAYS, Span.MONTH, begin, next_month(begin), [Span.MONTH])

    def _add(self, statement: str, span: Span, begin: datetime, end: datetime, instead_of: list[Span]) -> None:
        how = {"begin": begin, "end": end, "span": span.value, "step": span.name.lower(), "measures": ALL}
        self._cursor.execute(FORGET, {**how, "spans": [each.value for each in instead_of]})
        self._cursor.execute(statement, how)

    def _late(self) -> bool:
        return time.monotonic() > self._deadline


def settled(cursor: CursorWrapper) -> Settled:
    cursor.execute("SELECT months_until, days_until, hours_until FROM conversations_summarystate")
    row = cursor.fetchone()
    return Settled(*row) if row else Settled()


# Times come from the database in UTC, whatever `TIME_ZONE` is.


def hour(at: datetime) -> datetime:
    """The beginning of its hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def day(at: datetime) -> datetime:
    return hour(at).replace(hour=0)


def month(at: datetime) -> datetime:
    return day(at).replace(day=1)


def next_month(begin: datetime) -> datetime:
    return month(begin + 31 * DAY)


def _one(cursor: CursorWrapper) -> Any:
    row = cursor.fetchone()
    return None if row is None else row[0]
