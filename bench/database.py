"""What saving costs the database: statements per second as streams grow, and bytes of its log per token as texts do.

Statements are PostgreSQL's own count of committed transactions of the database (each tick of the journal is one).
"""

import time

from django.db import connection

from bench import rig

FEW, MANY = 10, 100
RATE = 50
LOOK = 5.0 if rig.QUICK else 15.0
SHORT, LONG = 500, 5_000 if rig.QUICK else 50_000
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
    connection.close()  # or this process's own count of statements would come later
    time.sleep(1.1)  # PostgreSQL's processes hand in their counts once a second
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def log_per_token(provider: rig.Provider, tokens: int, streams: int) -> float:
    """Bytes of write-ahead log per token, from the prompt to the end, without whole-page images."""
    with rig.subject(rig.OURS, provider) as server, rig.clients(server.kind) as clients:
        clients.do("connect", urls=[server.url], cookies=rig.cookies(streams, server))
        before = _position()
        clients.do("ask", tokens=tokens, rate=FAST, shape="prose", ramp=0.0)
        seen = clients.do("over")
        written = _position() - before
        told = provider.streams()
        rig.check(seen, told)
        rig.check_saved(seen, told)
        return written / (tokens * streams)


def _position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def main() -> None:
    rates: dict[int, list[float]] = {FEW: [], MANY: []}
    logs: dict[int, list[float]] = {SHORT: [], LONG: []}
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
    short, long = (rig.middle(logs[tokens]) for tokens in (SHORT, LONG))
    rows = [
        [f"statements/s at {FEW} streams", f"{few:.1f}", ""],
        [f"statements/s at {MANY} streams", f"{many:.1f}", f"{many / few:.2f}"],
        [f"log bytes per token of {SHORT} tokens", f"{short:.0f}", ""],
        [f"log bytes per token of {LONG} tokens", f"{long:.0f}", f"{long / short:.2f}"],
    ]
    rig.table(["", "", "ratio"], rows)
