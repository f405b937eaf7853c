"""Keeps the cells up to date: adds hours that are over, later whole days and months, and recomputes what changed.

Everything before the watermarks (`SummaryState`) is read from cells, the rest from rows. The roll-up holds the lock
exclusively and readers share it, so no reader counts an hour twice or misses one. Triggers note the time of each
changed row that is older than ten minutes. An hour is rolled up a quarter of an hour after its end, by when a change
that was not noted has long been committed.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from .cells import COLUMNS, KEY_COLUMNS, Measure, Span, cells_of_rows
from .periods import DAY, HOUR, START_OF_TIME, day_start, hour_start, month_start, next_month
from .watermarks import LOCK, Watermarks, read_watermarks

ROLLUP_INTERVAL = 60.0
"""Seconds between two roll-ups."""

ROLLUP_DELAY = timedelta(minutes=15)
"""Time from the end of an hour until it is rolled up."""

MAX_ROUND_TIME = 0.3
"""Seconds after which a round stops, approximately: readers wait for it."""

ALL_MEASURES = [measure.value for measure in Measure]

DELETE_CELLS = """
DELETE FROM conversations_summarycell WHERE span = ANY(%(spans)s) AND since >= %(begin)s AND since < %(end)s
"""
ADD_FROM_ROWS = f"""
INSERT INTO conversations_summarycell ({COLUMNS})
{cells_of_rows("g.requested_at >= %(begin)s AND g.requested_at < %(end)s")} ORDER BY measure
"""
GROUP_COLUMNS = KEY_COLUMNS.removeprefix("span, since, ")
ADD_FROM_DAYS = f"""
INSERT INTO conversations_summarycell ({COLUMNS})
SELECT 2, %(begin)s, {GROUP_COLUMNS}, sum(runs), sum(total), sum(tokens_in), sum(tokens_out), sum(cost)
FROM conversations_summarycell WHERE span = 1 AND since >= %(begin)s AND since < %(end)s
GROUP BY {GROUP_COLUMNS} ORDER BY measure
"""
SAVE_WATERMARKS = """
INSERT INTO conversations_summarystate (id, months_until, days_until, hours_until) VALUES (1, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET
    months_until = EXCLUDED.months_until, days_until = EXCLUDED.days_until, hours_until = EXCLUDED.hours_until
"""


def roll_up() -> bool:
    """Do one round. Return True if there is more to do at once. Any number of processes may call it; one of them does
    the work.

    Synchronous, in a transaction of its own. Raises django.db.Error; then nothing has changed.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(_scalar(cursor)) and _Round(cursor).run()


class _Round:
    def __init__(self, cursor: CursorWrapper) -> None:
        self._cursor = cursor
        self._deadline = time.monotonic() + MAX_ROUND_TIME
        cursor.execute("SELECT clock_timestamp()")
        self._now: datetime = _scalar(cursor)
        self._watermarks = read_watermarks(cursor)
        if self._watermarks.hours == START_OF_TIME:
            first = min(self._next_request(START_OF_TIME) or self._now, self._now - DAY)
            self._watermarks = Watermarks(month_start(first), month_start(first), month_start(first))

    def run(self) -> bool:
        """Do the work of one round. Return True if some is left. Days come before months, because months are summed
        from days."""
        more = self._redo_changed() or self._add_days() or self._add_months() or self._add_hours()
        marks = self._watermarks
        self._cursor.execute(SAVE_WATERMARKS, [marks.months, marks.days, marks.hours])
        return more

    def _redo_changed(self) -> bool:
        """Recompute periods whose rows changed after their roll-up. Return True if some are left.

        A note is deleted before its period is read, so the change that it records is always included.
        """
        self._cursor.execute("DELETE FROM conversations_summarychange WHERE at >= %s", [self._watermarks.hours])
        while not self._is_late():
            self._cursor.execute("SELECT min(at) FROM conversations_summarychange")
            changed: datetime | None = _scalar(self._cursor)
            if changed is None:
                return False
            self._redo(changed)
        return True

    def _redo(self, changed: datetime) -> None:
        is_day = changed < self._watermarks.days
        begin = day_start(changed) if is_day else hour_start(changed)
        self._cursor.execute(
            "DELETE FROM conversations_summarychange WHERE at >= %s AND at < %s",
            [begin, begin + (DAY if is_day else HOUR)],
        )
        self._write_day(begin) if is_day else self._write_hour(begin)
        if begin < self._watermarks.months:
            self._write_month(month_start(begin))

    def _add_days(self) -> bool:
        limit = day_start(self._now) - DAY
        while self._watermarks.days < limit:
            if self._is_late():
                return True
            at = self._next_begin(self._watermarks.days, limit, day_start)
            if at < limit:
                self._write_day(at)
                at += DAY
            self._watermarks.days = at
            self._watermarks.hours = max(self._watermarks.hours, at)
        return False

    def _add_months(self) -> bool:
        while (end := next_month(self._watermarks.months)) <= self._watermarks.days:
            if self._is_late():
                return True
            self._write_month(self._watermarks.months)
            self._watermarks.months = end
        return False

    def _add_hours(self) -> bool:
        limit = hour_start(self._now - ROLLUP_DELAY)
        while self._watermarks.hours < limit:
            if self._is_late():
                return True
            at = self._next_begin(self._watermarks.hours, limit, hour_start)
            if at < limit:
                self._write_hour(at)
                at += HOUR
            self._watermarks.hours = at
        return False

    def _next_begin(self, since: datetime, limit: datetime, start_of: Callable[[datetime], datetime]) -> datetime:
        """The start of the next hour or day with generations, between `since` and `limit`: empty ones are skipped."""
        following = self._next_request(since)
        return limit if following is None else max(since, min(limit, start_of(following)))

    def _next_request(self, since: datetime) -> datetime | None:
        """When the first generation at or after `since` was requested; None if there is none."""
        self._cursor.execute("SELECT min(requested_at) FROM conversations_generation WHERE requested_at >= %s", [since])
        found: datetime | None = _scalar(self._cursor)
        return found

    def _write_hour(self, begin: datetime) -> None:
        self._write(ADD_FROM_ROWS, Span.HOUR, begin, begin + HOUR, [Span.HOUR])

    def _write_day(self, begin: datetime) -> None:
        self._write(ADD_FROM_ROWS, Span.DAY, begin, begin + DAY, [Span.HOUR, Span.DAY])

    def _write_month(self, begin: datetime) -> None:
        self._write(ADD_FROM_DAYS, Span.MONTH, begin, next_month(begin), [Span.MONTH])

    def _write(self, statement: str, span: Span, begin: datetime, end: datetime, replaced: list[Span]) -> None:
        """Write the cells of a period in place of those of the spans `replaced`."""
        parameters = {"begin": begin, "end": end, "span": span.value, "step": span.name.lower()}
        self._cursor.execute(DELETE_CELLS, {**parameters, "spans": [each.value for each in replaced]})
        self._cursor.execute(statement, {**parameters, "measures": ALL_MEASURES})

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


def _scalar(cursor: CursorWrapper) -> Any:
    row = cursor.fetchone()
    return None if row is None else row[0]
