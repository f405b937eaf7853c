"""Whether `DATABASE_URL` leads to PostgreSQL itself, or to a pooler that lends its connections for one transaction."""

import os

import psycopg

from chatapp.postgres import NoAnswer

ATTEMPTS = 3


def refuse_lent_connections() -> None:
    """Locks and settings of a session would land on connections of others: a process would wait for a lock that nobody
    gives back, or take another one for dead. Raises `NoAnswer`, and psycopg.Error if the database went away."""
    if any(_is_lent() for _ in range(ATTEMPTS)):
        raise NoAnswer(
            "DATABASE_URL leads to a pooler that lends connections for one transaction each (PgBouncer's pool_mode "
            "transaction or statement); set its pool_mode to session, or let DATABASE_URL name PostgreSQL itself."
        )


def _is_lent() -> bool:
    """Two clients that are both connected have two backends, and keep them, unless somebody lends them."""
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
