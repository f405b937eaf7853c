"""Refuses a connection pooler in transaction mode between this process and PostgreSQL."""

import os

import psycopg

from chatapp.postgres import DatabaseUnavailable

ATTEMPTS = 3
"""Checks before the start; a pooler may happen to give out the same connections once."""


def refuse_transaction_pooler() -> None:
    """Raise `DatabaseUnavailable` for a pooler in transaction mode, and psycopg.Error if the database fails.

    Session locks and settings would end up on other clients' connections: a process would wait for a lock that nobody
    releases, or take a living process for dead. Blocks on the network.
    """
    if any(_is_shared() for _ in range(ATTEMPTS)):
        raise DatabaseUnavailable(
            "DATABASE_URL leads to a connection pooler in transaction or statement mode (PgBouncer's pool_mode); "
            "set its pool_mode to session, or let DATABASE_URL point to PostgreSQL itself."
        )


def _is_shared() -> bool:
    """Whether two open connections share a backend, or one changes its backend between two statements."""
    url = os.environ["DATABASE_URL"]
    with (
        psycopg.connect(url, autocommit=True, connect_timeout=5, prepare_threshold=None) as one,
        psycopg.connect(url, connect_timeout=5, prepare_threshold=None) as other,
    ):
        before = _backend(one)
        in_transaction = _backend(other)
        return before == in_transaction or before != _backend(one)


def _backend(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
