"""Reads cells: stored ones from their table, the others from the rows of generations."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled

from .cells import COLUMNS, Measure, Span, cells_of_rows
from .periods import END_OF_TIME, HOUR, START_OF_TIME
from .read_plan import Planner, Range
from .selection import Selection
from .watermarks import LOCK, read_watermarks

HISTOGRAM_MEASURES = (Measure.LENGTH, Measure.FIRST_TOKEN, Measure.STOP)

CHANGED_PERIODS = """
SELECT DISTINCT date_trunc(CASE WHEN at < %s THEN 'day' ELSE 'hour' END, at, 'UTC') FROM conversations_summarychange
WHERE at < %s
"""
STORED_CELLS = f"""
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
class CountRow:
    """A number of generations. Rows with `at` give their time and status; the others how they ended and their cost."""

    at: datetime | None
    status: str
    reason: str | None
    currency: str | None
    count: int
    tokens_in: int | None
    tokens_out: int | None
    cost: Any


@dataclass(frozen=True, slots=True)
class ValueRow:
    """The number of generations with a value in this bucket, and the sum of these values.

    Only rows of the measure `LENGTH` have the fields from `model` to `price_out`.
    """

    measure: Measure
    bucket: int
    model: str | None
    status: str | None
    reason: str | None
    currency: str | None
    price_out: Any
    count: int
    total: int


class SummaryTimeout(Exception):
    """The summary took longer than its time limit."""


class CellReader:
    """Reads within one transaction; cells do not change until it ends.

    All queries together take up to `timeout` seconds. Each method, and the constructor, raises SummaryTimeout.
    """

    def __init__(self, cursor: CursorWrapper, timeout: float) -> None:
        self._cursor = cursor
        self._deadline = time.monotonic() + timeout
        cursor.execute("SELECT set_config('jit', 'off', true)")  # compiling would take longer than the query
        self._execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        watermarks = read_watermarks(cursor)
        cursor.execute(CHANGED_PERIODS, [watermarks.days, watermarks.hours])
        self._planner = Planner(watermarks, {row[0] for row in cursor.fetchall()})
        cursor.execute("SELECT min(requested_at), max(requested_at) FROM conversations_generation")
        self.extent: tuple[datetime | None, datetime | None] = cursor.fetchone()
        """When the oldest and the newest of all generations were requested."""

    def counts(self, selection: Selection, step: timedelta) -> list[CountRow]:
        """Counts over time, in steps of an hour or a day, and counts by how generations ended."""
        cells, parameters = self._cells(selection, (Measure.COUNT,), Span.HOUR if step == HOUR else Span.DAY)
        self._execute(COUNTS.format(cells=cells), parameters)
        return [CountRow(*row) for row in self._cursor.fetchall()]

    def values(self, selection: Selection) -> list[ValueRow]:
        """Durations and lengths of answers, by bucket."""
        cells, parameters = self._cells(selection, HISTOGRAM_MEASURES)
        self._execute(VALUES.format(cells=cells), parameters)
        return [ValueRow(Measure(row[0]), *row[1:]) for row in self._cursor.fetchall()]

    def complete_lengths(self, selection: Selection) -> list[tuple[str, int, int, int]]:
        """(model, bucket, generations, tokens) of answers that finished."""
        cells, parameters = self._cells(selection, (Measure.LENGTH,))
        self._execute(LENGTHS.format(cells=cells), parameters)
        rows: list[tuple[str, int, int, int]] = self._cursor.fetchall()
        return rows

    def _execute(self, statement: str, parameters: Any) -> None:
        remaining = int((self._deadline - time.monotonic()) * 1000)
        if remaining <= 0:
            raise SummaryTimeout
        self._cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(remaining)])
        try:
            self._cursor.execute(statement, parameters)
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
            raise SummaryTimeout from error

    def _cells(
        self, selection: Selection, measures: tuple[Measure, ...], finest: Span = Span.MONTH
    ) -> tuple[str, dict[str, Any]]:
        """SELECT of the selection's cells, none longer than `finest`, and its parameters."""
        parameters: dict[str, Any] = {
            "measures": [measure.value for measure in measures],
            "span": Span.DAY.value,
            "step": "hour" if finest == Span.HOUR else "day",
        }
        if selection.rows is not None:
            return _cells_of_query(*selection.rows, parameters)
        return self._planned_cells(selection, finest, parameters | selection.parameters())

    def _planned_cells(
        self, selection: Selection, finest: Span, parameters: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        since, until = selection.since or START_OF_TIME, selection.until or END_OF_TIME
        plan = self._planner.plan(since, until, self.extent[0] or END_OF_TIME, finest)
        queries: list[str] = []
        for span, ranges in plan.cells.items():
            for each in ranges:
                parameters |= _range_parameters(len(queries), each, span)
                queries.append(STORED_CELLS.format(number=len(queries), conditions=selection.sql("c")))
        for each in plan.rows:
            parameters |= _range_parameters(len(queries), each, Span.DAY)
            within = "g.requested_at >= %(begin{0})s AND g.requested_at < %(end{0})s".format(len(queries))
            queries.append(cells_of_rows(within + selection.sql("g")))
        return " UNION ALL ".join(f"({query})" for query in queries or [cells_of_rows("false")]), parameters


def _cells_of_query(query: str, values: tuple[Any, ...], parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """SELECT of the cells of the rows whose ids `query` returns, with the query's parameters by name."""
    names = {f"r{number}": value for number, value in enumerate(values)}
    ids = query.replace("%%", "%%%%") % tuple(f"%({name})s" for name in names)
    return cells_of_rows(f"g.id IN ({ids})"), {**parameters, **names}


def _range_parameters(number: int, each: Range, span: Span) -> dict[str, Any]:
    return {f"begin{number}": each[0], f"end{number}": each[1], f"span{number}": span.value}
