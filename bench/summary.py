"""Time of the summary above the admin's list, for 1,000,000 generations of a year.

One in ten was interrupted and one in fifty failed. There are three models, two of them with a price. The generations
are added up first, as a server does in the background. Times cover only the summary: from the filters to the figures.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection

from bench import rig

RUNS = int(os.environ.get("BENCH_ROWS", "100000" if rig.QUICK else "1000000"))
DAYS = 365
LOOKS = 10

MIX = """
UPDATE conversations_generation g SET
    requested_at = m.asked, opened_at = m.asked + interval '0.2 s', first_token_at = m.asked + m.first,
    ended_at = m.asked + m.first + interval '8 s', model = m.model, endpoint = m.model || '.example.org',
    status = m.status, end_reason = m.reason, kind = CASE WHEN m.n %% 8 = 0 THEN 'regenerate' ELSE 'reply' END,
    stop_requested_at = CASE WHEN m.status = 'interrupted' THEN m.asked + interval '3 s' END,
    upstream_closed_at = m.asked + interval '3 s' + m.closing,
    tokens_in = 200 + m.n %% 300, tokens_out = m.tokens, usage_source = 'provider',
    price_out = CASE WHEN m.model <> 'free' THEN 10 END, currency = CASE WHEN m.model <> 'free' THEN 'USD' ELSE '' END,
    cost = CASE WHEN m.model <> 'free' THEN m.tokens * 10 / 1000000.0 END,
    reviewed_at = CASE WHEN m.status <> 'complete' AND m.n %% 3 = 0 THEN m.asked + interval '1 day' END
FROM (
    SELECT id, n, status, reason, now() - (%(runs)s - n) * interval '%(days)s days' / %(runs)s AS asked,
           exp(random() * 3) * interval '0.15 s' AS first, exp(random() * 4) * interval '1 ms' AS closing,
           (ARRAY['large', 'small', 'free'])[1 + n %% 3] AS model,
           (CASE status WHEN 'complete' THEN 400 ELSE 150 END * exp(random() - 0.5))::int AS tokens
    FROM (
        SELECT id, n, CASE WHEN n %% 10 = 0 THEN 'interrupted'
                           WHEN n %% 50 = 1 THEN 'error' ELSE 'complete' END AS status,
               CASE WHEN n %% 10 = 0 THEN (ARRAY['stopped', 'stopped', 'left', 'superseded'])[1 + n / 10 %% 4]
                    WHEN n %% 50 = 1 THEN (ARRAY['rate_limited', 'timed_out'])[1 + n / 50 %% 2]
                    ELSE 'finished' END AS reason
        FROM (SELECT id, row_number() OVER (ORDER BY requested_at) AS n FROM conversations_generation) AS numbers
    ) AS mixed
) AS m
WHERE m.id = g.id
"""


def seed() -> None:
    from bench.seed import Size
    from bench.seed import seed as fill

    connection.ensure_connection()
    fill(connection.connection, Size(RUNS * 2))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(MIX, {"runs": RUNS, "days": DAYS})
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE conversations_generation")


def add_up() -> float:
    from conversations.operations.summary.rollup import roll_up

    began = time.monotonic()
    while roll_up():
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_summarycell")
    return time.monotonic() - began


def timed(look: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the maximum of several calls, in milliseconds."""
    times = []
    for _ in range(LOOKS):
        began = time.monotonic()
        look()
        times.append((time.monotonic() - began) * 1000)
    return rig.middle(times), max(times)


def main() -> None:
    from conversations.operations.summary.cell_reader import SummaryTimeout
    from conversations.operations.summary.figures import summarize
    from conversations.operations.summary.selection import Condition, Selection

    def look(selection: Selection) -> str:
        try:
            summarize(selection)
        except SummaryTimeout:
            return "timed out"
        return ""

    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    person = ("SELECT id FROM conversations_generation WHERE requested_by_id = (SELECT min(id) FROM auth_user)", ())
    selections = {
        "all": Selection(),
        "interrupted": Selection(conditions=(Condition("status", ("interrupted",)),)),
        "one model, needs review": Selection(
            conditions=(Condition("model", ("small",)), Condition("reviewed", (False,)))
        ),
        "the last 30 days": Selection(since=midnight - timedelta(days=30)),
        "today": Selection(since=midnight),
        "one day half a year ago": Selection(midnight - timedelta(days=180), midnight - timedelta(days=179)),
        "one person with a tenth of all": Selection(rows=person),
    }
    with rig.database():
        began = time.monotonic()
        seed()
        print(f"Summary of {RUNS:,} generations in {DAYS} days (seeded in {time.monotonic() - began:.0f} s)\n")
        print(f"Added up in {add_up():.1f} s\n")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), pg_total_relation_size('conversations_summarycell') FROM conversations_summarycell"
            )
            cells, size = cursor.fetchone()
        print(f"{cells:,} cells, {size / 2**20:.0f} MiB\n")
        rows = []
        for name, selection in selections.items():
            failed = look(selection)
            median, longest = timed(lambda selection=selection: look(selection))
            rows.append([name, f"{median:.0f}", f"{longest:.0f}", failed])
        rig.table(["", "median, ms", "max, ms", ""], rows)
