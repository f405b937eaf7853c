"""Database locks that a test holds to make the product wait."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier


@contextmanager
def locked_rows(table: str, keys: Sequence[object]) -> Iterator[None]:
    """Lock the rows of `table` with these keys against all writers."""
    settings = connection.settings_dict
    with psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"]) as holder:
        holder.execute(SQL("SELECT FROM {} WHERE id = ANY(%s) FOR UPDATE").format(Identifier(table)), [list(keys)])
        yield
        holder.rollback()


@contextmanager
def locked_table(name: str) -> Iterator[None]:
    """Lock the whole table against all readers and writers."""
    settings = connection.settings_dict
    with psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"]) as holder:
        holder.execute(SQL("LOCK TABLE {}").format(Identifier(name)))
        yield
        holder.rollback()


def waiting_for_locks() -> int:
    """The number of database connections that wait for a lock held by another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return int(cursor.fetchone()[0])
