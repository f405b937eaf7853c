"""Database locks that a test holds to make the product wait."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier


@contextmanager
def locked_rows(table: str, keys: Sequence[object]) -> Iterator[None]:
    """Hold the rows of `table` with these keys against everybody who wants to write them."""
    settings = connection.settings_dict
    with psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"]) as holder:
        holder.execute(SQL("SELECT FROM {} WHERE id = ANY(%s) FOR UPDATE").format(Identifier(table)), [list(keys)])
        yield
        holder.rollback()


@contextmanager
def locked_table(name: str) -> Iterator[None]:
    """Hold the whole table against everybody who wants to read or write it."""
    settings = connection.settings_dict
    with psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"]) as holder:
        holder.execute(SQL("LOCK TABLE {}").format(Identifier(name)))
        yield
        holder.rollback()


def waiting_for_locks() -> int:
    """How many connections to the database wait for a lock that another one holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return int(cursor.fetchone()[0])
