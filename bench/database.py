"""What saving costs the database: commits per second as streams increase, log bytes per token as texts grow.

Commits are PostgreSQL's own count for the database; each tick of the journal is one.
"""

import time

from django.db import connection

from bench import rig
from conversations.models import Generation

FEW, MANY = 10, 100
RATE = 50
LOOK = 5.0 if rig.QUICK else 15.0
SHORT, LONG = 500, 5_000 if rig.QUICK else 50_000
QUIET = 20_000
"""Bytes of write-ahead log within two seconds. Below that, the server counts as idle."""

FAST = 500
"""Tokens per second of the answers whose log is measured."""


def commits(provider: rig.Provider, streams: int) -> float:
    """Return the commits per second while this number of answers streams."""
    with rig.subject(rig.OURS, provider) as server, rig.clients(server.kind) as clients:
        clients.do("connect", urls=[server.url], cookies=rig.cookies(streams, server))
        clients.do("ask", tokens=100_000, rate=RATE, shape="answer", ramp=1.0)
        time.sleep(2)
        began, before = time.monotonic(), _committed()
        time.sleep(LOOK)
        return (_committed() - before) / (time.monotonic() - began)


def _committed() -> int:
    with connection.cursor() as cursor:  # otherwise the people created by this process would be counted later
        cursor.execute("SELECT pg_stat_force_next_flush()")
    time.sleep(1.1)  # PostgreSQL's processes report their counts once a second
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def log_per_token(provider: rig.Provider, tokens: int, streams: int) -> tuple[float, float]:
    """Return the bytes of write-ahead log per token, without full-page images: for saving, then for the search.

    Every word of these texts is new to the search index, which is not so with real text."""
    with rig.subject(rig.OURS, provider) as server, rig.clients(server.kind) as clients:
        clients.do("connect", urls=[server.url], cookies=rig.cookies(streams, server))
        before = _settled()
        clients.do("ask", tokens=tokens, rate=FAST, shape="prose", ramp=0.0)
        clients.tell("over")
        while clients.process.poll() is None and Generation.objects.streaming().exists():
            time.sleep(0.02)
        saved = _position()
        seen = clients.hear()
        indexed = _settled()
        told = provider.streams()
        rig.check(seen, told)
        rig.check_saved(seen, told)
        return (saved - before) / (tokens * streams), (indexed - saved) / (tokens * streams)


def _settled() -> int:
    """Wait until earlier answers are cleaned up and indexed. Return the position of the log."""
    for _ in range(60):
        before = _position()
        time.sleep(2)
        if (after := _position()) - before < QUIET:
            return after
    raise RuntimeError("the database does not become idle")


def _position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def main() -> None:
    rates: dict[int, list[float]] = {FEW: [], MANY: []}
    logs: dict[int, list[tuple[float, float]]] = {SHORT: [], LONG: []}
    with rig.database(), rig.provider() as provider:
        with connection.cursor() as cursor:  # full-page images depend on when the last checkpoint was
            cursor.execute("ALTER SYSTEM SET full_page_writes = off")
            cursor.execute("SELECT pg_reload_conf()")
        for _ in range(rig.RUNS):
            for streams, found in rates.items():
                found.append(commits(provider, streams))
            for tokens, found in logs.items():
                found.append(log_per_token(provider, tokens, 4 if tokens == SHORT else 1))
    print(f"Database; medians of {rig.RUNS} runs\n")
    few, many = (rig.middle(rates[streams]) for streams in (FEW, MANY))
    short, long = (rig.middle([saved for saved, _ in logs[tokens]]) for tokens in (SHORT, LONG))
    index, long_index = (rig.middle([indexed for _, indexed in logs[tokens]]) for tokens in (SHORT, LONG))
    rows = [
        [f"commits/s at {FEW} streams", f"{few:.1f}", ""],
        [f"commits/s at {MANY} streams", f"{many:.1f}", f"{many / few:.2f}"],
        [f"log bytes per token, {SHORT} tokens", f"{short:.0f}", ""],
        [f"log bytes per token, {LONG} tokens", f"{long:.0f}", f"{long / short:.2f}"],
        [f"for the search index, {SHORT} tokens", f"{index:.0f}", ""],
        [f"for the search index, {LONG} tokens", f"{long_index:.0f}", f"{long_index / index:.2f}"],
    ]
    rig.table(["", "", "ratio"], rows)
