"""Cells: how many runs agree in model, status, reason … and about in a measured value.

Values are kept in buckets: each whole number up to `EXACT`, then steps of 5 %. A bucket knows the sum of its values,
too, so what is told of it is their mean: percentiles are right to within 5 %, and exact for a few runs.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

EXACT = 20
STEP = 1.05


class Span(IntEnum):
    """Of how long a time a cell tells. Months repeat what their days say; hours are those that no day has yet."""

    HOUR = 0
    DAY = 1
    MONTH = 2


class Measure(IntEnum):
    """Every run counts for `COUNT` and `LENGTH`; for the others only if it came to that."""

    LENGTH = 0
    """Tokens of the answer; four characters count as one where they were not counted."""
    FIRST_TOKEN = 1
    """Milliseconds from the prompt to the first token."""
    STOP = 2
    """Milliseconds from the stop to the closed upstream."""
    COUNT = 3
    """Nothing: how many there were, their tokens and their cost."""


KEYS = "span, since, model, endpoint, kind, status, end_reason, reviewed, currency, price_out, measure, bucket"
COLUMNS = f"{KEYS}, runs, total, tokens_in, tokens_out, cost"

# Clocks of two machines may disagree, so an interval may seem to be negative: it then counts as none.
OF_ROWS = f"""
SELECT %(span)s::smallint AS span, date_trunc(%(step)s, g.requested_at, 'UTC') AS since, g.model, g.endpoint, g.kind,
       g.status, g.end_reason, g.reviewed_at IS NOT NULL AS reviewed, g.currency, g.price_out, v.measure,
       (CASE WHEN v.value <= {EXACT} THEN greatest(v.value, 0)
             ELSE {EXACT} + ceil(ln(v.value / {EXACT}.0::float8) / ln({STEP}::float8)) END)::smallint AS bucket,
       count(*)::int AS runs, sum(greatest(v.value, 0))::bigint AS total,
       sum(v.tokens_in)::bigint AS tokens_in, sum(v.tokens_out)::bigint AS tokens_out, sum(v.cost) AS cost
FROM conversations_generation g
CROSS JOIN LATERAL (VALUES
    (3, 0::float8, g.tokens_in, g.tokens_out, g.cost),
    (0, COALESCE(g.tokens_out, ceil(g.characters / 4.0))::float8, NULL, NULL, NULL),
    (1, round(extract(epoch FROM g.first_token_at - g.requested_at)::float8 * 1000), NULL, NULL, NULL),
    (2, round(extract(epoch FROM g.upstream_closed_at - g.stop_requested_at)::float8 * 1000), NULL, NULL, NULL)
) AS v(measure, value, tokens_in, tokens_out, cost)
WHERE {{which}} AND v.measure = ANY(%(measures)s) AND v.value IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
"""


def of_rows(which: str) -> str:
    """SELECT of the cells of those rows `g` of conversations_generation that fulfil `which`. Takes `span`, `step` (the
    span's name) and `measures`."""
    return OF_ROWS.format(which=which)


@dataclass(frozen=True, slots=True)
class Condition:
    """`column` has one of these values."""

    column: str
    values: tuple[Any, ...]

    def sql(self, of: str, name: str) -> str:
        """Of a cell (`of` is "c") or of a row ("g")."""
        column = f"({of}.reviewed_at IS NOT NULL)" if (of, self.column) == ("g", "reviewed") else f"{of}.{self.column}"
        return f"{column} = ANY(%({name})s)"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs: begun in `since` ≤ … < `until`, both midnights of UTC or None, under all of the conditions; and, if
    `rows` is given, only those of this query for ids, which cells know nothing of."""

    since: datetime | None = None
    until: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    rows: tuple[str, tuple[Any, ...]] | None = None

    def parameters(self) -> dict[str, Any]:
        return {f"c{number}": list(each.values) for number, each in enumerate(self.conditions)}

    def sql(self, of: str) -> str:
        """To be written behind other conditions."""
        return "".join(f" AND {each.sql(of, f'c{number}')}" for number, each in enumerate(self.conditions))


@dataclass(slots=True)
class Spread:
    """Values in buckets: bucket → (how many, their sum)."""

    buckets: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, bucket: int, count: int, total: float) -> None:
        before, sum_before = self.buckets.get(bucket, (0, 0.0))
        self.buckets[bucket] = (before + count, sum_before + total)

    @property
    def count(self) -> int:
        return sum(count for count, _total in self.buckets.values())

    def percentile(self, percent: float) -> float | None:
        """The smallest value that at least so many percent do not exceed; None where there is none."""
        rank = percent / 100 * self.count
        passed = 0
        for _bucket, (count, total) in sorted(self.buckets.items()):
            passed += count
            if passed >= rank:
                return total / count
        return None
