"""Lists that stay fast with millions of rows: capped counts and a time limit for queries."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import Error, OperationalError, connection
from django.http import HttpRequest
from django.utils.functional import cached_property
from psycopg.errors import QueryCanceled

MAX_COUNT = 10_000
"""Rows that are counted and can be paged through. Others can be found with filters."""

QUERY_TIMEOUT = 3.0
"""Seconds that one query of a list may take."""


class QueryTimeout(Exception):
    """A query of a list took longer than `QUERY_TIMEOUT` seconds and was cancelled."""


@contextmanager
def query_time_limit() -> Iterator[None]:
    """Limit each query on this thread's connection to `QUERY_TIMEOUT` seconds. Raises QueryTimeout."""
    _set_timeout(f"{QUERY_TIMEOUT * 1000:.0f}")
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise QueryTimeout from error
    finally:
        with suppress(Error):  # the connection broke: it is discarded together with its limit
            _set_timeout(None)


def _set_timeout(milliseconds: str | None) -> None:
    with connection.cursor() as cursor:
        if milliseconds is None:
            cursor.execute("RESET statement_timeout")
        else:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [milliseconds])


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # Django takes no argument at run time
    """Counts up to `MAX_COUNT`. `more`: there are more rows than that."""

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MAX_COUNT + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, MAX_COUNT)

    @property
    def more(self) -> bool:
        return self._counted > MAX_COUNT


class BoundedList(ChangeList):
    """Reads its rows at once instead of during rendering, when the time limit no longer applies."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
