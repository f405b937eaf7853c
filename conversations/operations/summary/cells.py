"""Cells: counts of generations that agree in model, status, reason … and nearly agree in one measured value.

A value falls into a bucket: whole numbers up to `MAX_EXACT_VALUE` have one each, and above that each bucket's limit is
5 % above the one before. A bucket also stores the sum of its values and is reported as their mean. So percentiles are
right to within 5 %, and exact for a few generations.
"""

from enum import IntEnum

MAX_EXACT_VALUE = 20
BUCKET_RATIO = 1.05


class Span(IntEnum):
    """The length of a cell's period. Months repeat what their days contain; hours exist only until their day does."""

    HOUR = 0
    DAY = 1
    MONTH = 2


class Measure(IntEnum):
    """What a cell measures. Each generation has a `COUNT` and a `LENGTH`; the others only if it got that far."""

    LENGTH = 0
    """Tokens of the answer; four characters make one where tokens were not counted."""
    FIRST_TOKEN = 1
    """Milliseconds from the prompt to the first token."""
    STOP = 2
    """Milliseconds from the stop to the closed upstream connection."""
    COUNT = 3
    """No value: only the number of generations, their tokens and their cost."""


KEY_COLUMNS = "span, since, model, endpoint, kind, status, end_reason, reviewed, currency, price_out, measure, bucket"
COLUMNS = f"{KEY_COLUMNS}, runs, total, tokens_in, tokens_out, cost"

# The clocks of two machines may differ, so an interval may seem negative; it then counts as 0.
CELLS_OF_ROWS = f"""
SELECT %(span)s::smallint AS span, date_trunc(%(step)s, g.requested_at, 'UTC') AS since, g.model, g.endpoint, g.kind,
       g.status, g.end_reason, g.reviewed_at IS NOT NULL AS reviewed, g.currency, g.price_out, v.measure,
       (CASE WHEN v.value <= {MAX_EXACT_VALUE} THEN greatest(v.value, 0)
             ELSE {MAX_EXACT_VALUE} + ceil(ln(v.value / {MAX_EXACT_VALUE}.0::float8) / ln({BUCKET_RATIO}::float8))
             END)::smallint AS bucket,
       count(*)::int AS runs, sum(greatest(v.value, 0))::bigint AS total,
       sum(v.tokens_in)::bigint AS tokens_in, sum(v.tokens_out)::bigint AS tokens_out, sum(v.cost) AS cost
FROM conversations_generation g
CROSS JOIN LATERAL (VALUES
    (3, 0::float8, g.tokens_in, g.tokens_out, g.cost),
    (0, COALESCE(g.tokens_out, ceil(g.characters / 4.0))::float8, NULL, NULL, NULL),
    (1, round(extract(epoch FROM g.first_token_at - g.requested_at)::float8 * 1000), NULL, NULL, NULL),
    (2, round(extract(epoch FROM g.upstream_closed_at - g.stop_requested_at)::float8 * 1000), NULL, NULL, NULL)
) AS v(measure, value, tokens_in, tokens_out, cost)
WHERE {{where}} AND v.measure = ANY(%(measures)s) AND v.value IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
"""


def cells_of_rows(where: str) -> str:
    """SELECT of the cells made from the rows `g` of conversations_generation that meet the condition `where`.

    The statement takes the parameters `span`, `step` (the span's name for `date_trunc`) and `measures`.
    """
    return CELLS_OF_ROWS.format(where=where)
