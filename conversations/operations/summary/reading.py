"""Reads cells: settled ones from their table, the rest from the rows."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled

from .cells import COLUMNS, Measure, Selection, Span, of_rows
from .rollup import ALWAYS, DAY, HOUR, LOCK, hour, month, next_month, settled

Range = tuple[datetime, datetime]

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)

SPREADS = (Measure.LENGTH, Measure.FIRST_TOKEN, Measure.STOP)

CHANGED = """
SELECT DISTINCT date_trunc(CASE WHEN at < %s THEN 'day' ELSE 'hour' END, at, 'UTC') FROM conversations_summarychange
WHERE at < %s
"""
SETTLED = f"""
SELECT {COLUMNS} FROM conversations_summarycell c
WHERE c.span = %(span{{number}})s AND c.measure = ANY(%(measures)s)
  AND c.since >= %(begin{{number}})s AND c.since < %(end{{number}})s{{conditions}}
"""
COUNTS = """
SELECT at, status, end_reason, currency, sum(runs)::bigint, sum(tokens_in)::bigint, sum(tokens_out)::bigint, sum(cost)
FROM (SELECT date_trunc(%(step)s, since, 'UTC') AS at, status, end_reason, currency, runs, tokens_in, tokens_out, cost
      FROM ({cells}) AS cells) AS told
GROUP BY GROUPING SETS ((at, status), (status, end_reason, currency))
"""
VALUES = """
SELECT measure, bucket, model, status, end_reason, currency, price_out, sum(runs)::bigint, sum(total)::bigint
FROM (SELECT measure, bucket, runs, total,
             CASE measure WHEN 0 THEN model END AS model, CASE measure WHEN 0 THEN status END AS status,
             CASE measure WHEN 0 THEN end_reason END AS end_reason,
             CASE measure WHEN 0 THEN currency END AS currency, CASE measure WHEN 0 THEN price_out END AS price_out
      FROM ({cells}) AS cells) AS told
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
LENGTHS = """
SELECT model, bucket, sum(runs)::bigint, sum(total)::bigint FROM ({cells}) AS cells
WHERE end_reason = 'finished' GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many runs. Those with `at` say when and with what status, the others how they ended and what they cost."""

    at: datetime | None
    status: str
    reason: str | None
    currency: str | None
    runs: int
    tokens_in: int | None
    tokens_out: int | None
    cost: Any


@dataclass(frozen=True, slots=True)
class Value:
    """How many runs have a value in this bucket, and the sum of their values. Only lengths say of which model."""

    measure: Measure
    bucket: int
    model: str | None
    status: str | None
    reason: str | None
    currency: str | None
    price_out: Any
    runs: int
    total: int


@dataclass(slots=True)
class _Plan:
    """From where each part of a period is read."""

    cells: dict[Span, list[Range]] = field(default_factory=lambda: {span: [] for span in Span})
    rows: list[Range] = field(default_factory=list)


class TooMuch(Exception):
    """The selection could not be added up in time."""


class Reading:
    """One look at the cells, in a transaction: what is settled stays as it is until its end. All that it asks takes
    `patience` seconds at most, or raises TooMuch."""

    def __init__(self, cursor: CursorWrapper, patience: float) -> None:
        self._cursor = cursor
        self._deadline = time.monotonic() + patience
        cursor.execute("SELECT set_config('jit', 'off', true)")  # compiling would take longer than adding up
        self._ask("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        self._settled = settled(cursor)
        cursor.execute(CHANGED, [self._settled.days, self._settled.hours])
        self._changed: set[datetime] = {row[0] for row in cursor.fetchall()}
        self._changed_months = {month(at) for at in self._changed}
        cursor.execute("SELECT min(requested_at), max(requested_at) FROM conversations_generation")
        self.extent: tuple[datetime | None, datetime | None] = cursor.fetchone()
        """The times of the first and the last run of all."""

    def counts(self, selection: Selection, step: timedelta) -> list[Count]:
        """How many there were: once over time, in steps of an hour or a day, once by how they ended."""
        cells, how = self._cells(selection, (Measure.COUNT,), finest=Span.HOUR if step == HOUR else Span.DAY)
        self._ask(COUNTS.format(cells=cells), how)
        return [Count(*row) for row in self._cursor.fetchall()]

    def values(self, selection: Selection) -> list[Value]:
        """How long things took and answers were."""
        cells, how = self._cells(selection, SPREADS)
        self._ask(VALUES.format(cells=cells), how)
        return [Value(Measure(row[0]), *row[1:]) for row in self._cursor.fetchall()]

    def lengths(self, selection: Selection) -> list[tuple[str, int, int, int]]:
        """(model, bucket, runs, tokens) of the answers that were finished."""
        cells, how = self._cells(selection, (Measure.LENGTH,))
        self._ask(LENGTHS.format(cells=cells), how)
        rows: list[tuple[str, int, int, int]] = self._cursor.fetchall()
        return rows

    def _ask(self, statement: str, how: Any) -> None:
        """Within what is left of the time."""
        left = int((self._deadline - time.monotonic()) * 1000)
        if left <= 0:
            raise TooMuch
        self._cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(left)])
        try:
            self._cursor.execute(statement, how)
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
            raise TooMuch from error

    def _cells(
        self, selection: Selection, measures: tuple[Measure, ...], finest: Span = Span.MONTH
    ) -> tuple[str, dict[str, Any]]:
        """SELECT of all cells of the selection, none longer than `finest`, and its parameters."""
        how: dict[str, Any] = {
            "measures": [measure.value for measure in measures],
            "span": Span.DAY.value,
            "step": "hour" if finest == Span.HOUR else "day",
        }
        if selection.rows is not None:
            return _of_rows(*selection.rows, how)
        how |= selection.parameters()
        plan = self._plan(selection.since or ALWAYS, selection.until or FOREVER, finest)
        queries: list[str] = []
        for span, ranges in plan.cells.items():
            for each in ranges:
                queries.append(SETTLED.format(number=len(queries), conditions=selection.sql("c")))
                how |= _named(len(queries) - 1, each, span)
        for each in plan.rows:
            number = len(queries)
            within = f"g.requested_at >= %(begin{number})s AND g.requested_at < %(end{number})s"
            queries.append(of_rows(within + selection.sql("g")))
            how |= _named(number, each, Span.DAY)
        return " UNION ALL ".join(f"({query})" for query in queries or [of_rows("false")]), how

    def _plan(self, since: datetime, until: datetime, finest: Span) -> _Plan:
        """Months where they are whole and nothing in them changed; else days; else hours; else rows."""
        plan = _Plan()
        first = self.extent[0] or FOREVER
        at = max(since, month(first))
        end = min(until, self._settled.days)
        if finest == Span.HOUR:  # days do not know their hours
            plan.rows.append((at, end))
            at = max(at, end)
        while at < end:
            following = next_month(at)
            if finest == Span.MONTH and self._whole_month(at, following, until):
                plan.cells[Span.MONTH].append((at, following))
                at = following
            else:
                (plan.rows if at in self._changed else plan.cells[Span.DAY]).append((at, at + DAY))
                at += DAY
        at, end = max(since, self._settled.days), min(until, self._settled.hours)
        while at < end:
            (plan.rows if hour(at) in self._changed else plan.cells[Span.HOUR]).append((at, at + HOUR))
            at += HOUR
        plan.rows.append((max(since, self._settled.hours), until))
        return _Plan({span: _joined(ranges) for span, ranges in plan.cells.items()}, _joined(plan.rows))

    def _whole_month(self, at: datetime, following: datetime, until: datetime) -> bool:
        whole = at == month(at) and following <= min(until, self._settled.months)
        return whole and at not in self._changed_months


def _of_rows(query: str, values: tuple[Any, ...], how: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    names = {f"r{number}": value for number, value in enumerate(values)}
    ids = query.replace("%%", "%%%%") % tuple(f"%({name})s" for name in names)
    return of_rows(f"g.id IN ({ids})"), {**how, **names}


def _named(number: int, each: Range, span: Span) -> dict[str, Any]:
    return {f"begin{number}": each[0], f"end{number}": each[1], f"span{number}": span.value}


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """Those that touch as one, and without those that end before they begin."""
    found: list[Range] = []
    for begin, end in sorted(ranges):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
