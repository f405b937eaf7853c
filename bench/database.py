"""What saving costs the database: statements per second as streams grow, and bytes of its log per token as texts do.

Statements are PostgreSQL's own count of committed transactions of the database (each tick of the journal is one).
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
"""Bytes of log in two seconds that a server writes at most which has nothing to do."""

FAST = 500
"""Tokens a second of the answers whose log is measured."""


def statements(provider: rig.Provider, streams: int) -> float:
    """Statements per second while so many answers stream."""
    with rig.subject(rig.OURS, provider) as server, rig.clients(server.kind) as clients:
        clients.do("connect", urls=[server.url], cookies=rig.cookies(streams, server))
        clients.do("ask", tokens=100_000, rate=RATE, shape="answer", ramp=1.0)
        time.sleep(2)
        began, before = time.monotonic(), _committed()
        time.sleep(LOOK)
        return (_committed() - before) / (time.monotonic() - began)


def _committed() -> int:
    with connection.cursor() as cursor:  # or this process's own count, of the people it made, would come later
        cursor.execute("SELECT pg_stat_force_next_flush()")
    time.sleep(1.1)  # PostgreSQL's processes hand in their counts once a second
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def log_per_token(provider: rig.Provider, tokens: int, streams: int) -> tuple[float, float]:
    """Bytes of write-ahead log per token, without whole-page images: from the prompt until all is saved, and for the
    search after that. Every word of these texts is a new one to the search's index, which no real text's are."""
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
    """The log's position as soon as nothing of the answers before is being swept or indexed any more."""
    for _ in range(60):
        before = _position()
        time.sleep(2)
        if (after := _position()) - before < QUIET:
            return after
    raise RuntimeError("the database does not come to rest")


def _position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def main() -> None:
    rates: dict[int, list[float]] = {FEW: [], MANY: []}
    logs: dict[int, list[tuple[float, float]]] = {SHORT: [], LONG: []}
    with rig.database(), rig.provider() as provider:
        with connection.cursor() as cursor:  # whole pages after a checkpoint say when it was, not what was written
            cursor.execute("ALTER SYSTEM SET full_page_writes = off")
            cursor.execute("SELECT pg_reload_conf()")
        for _ in range(rig.RUNS):
            for streams, found in rates.items():
                found.append(statements(provider, streams))
            for tokens, found in logs.items():
                found.append(log_per_token(provider, tokens, 4 if tokens == SHORT else 1))
    print(f"Database; medians of {rig.RUNS} runs\n")
    few, many = (rig.middle(rates[streams]) for streams in (FEW, MANY))
    short, long = (rig.middle([saved for saved, _ in logs[tokens]]) for tokens in (SHORT, LONG))
    index, long_index = (rig.middle([indexed for _, indexed in logs[tokens]]) for tokens in (SHORT, LONG))
    rows = [
        [f"statements/s at {FEW} streams", f"{few:.1f}", ""],
        [f"statements/s at {MANY} streams", f"{many:.1f}", f"{many / few:.2f}"],
        [f"log bytes per token of {SHORT} tokens", f"{short:.0f}", ""],
        [f"log bytes per token of {LONG} tokens", f"{long:.0f}", f"{long / short:.2f}"],
        [f"for the search, of {SHORT} tokens", f"{index:.0f}", ""],
        [f"for the search, of {LONG} tokens", f"{long_index:.0f}", f"{long_index / index:.2f}"],
    ]
    rig.table(["", "", "ratio"], rows)
