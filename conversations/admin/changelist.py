"""The list of runs, quick with a million of them: nothing counts or sorts more than it has to."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import Error, OperationalError, connection
from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from django.utils.functional import cached_property
from psycopg.errors import QueryCanceled

from .completion import shares

COUNTED = 10_000
"""Rows that are counted and paged through; who wants the others filters."""

PATIENCE = 3.0
"""Seconds that one query of a list may take."""


class TooSlow(Exception):
    """A query of a list took longer than `PATIENCE` and was cancelled."""


@contextmanager
def bounded() -> Iterator[None]:
    """No query of this thread takes longer than `PATIENCE` meanwhile. Raises TooSlow."""
    _limit(f"{PATIENCE * 1000:.0f}")
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise TooSlow from error
    finally:
        with suppress(Error):  # of a connection that broke: it is thrown away, and its limit with it
            _limit(None)


def _limit(milliseconds: str | None) -> None:
    with connection.cursor() as cursor:
        if milliseconds is None:
            cursor.execute("RESET statement_timeout")
        else:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [milliseconds])


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # Django takes no argument at run time
    """Counts to `COUNTED`. `more`: there are others behind."""

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNTED)

    @property
    def more(self) -> bool:
        return self._counted > COUNTED


class BoundedList(ChangeList):
    """Its rows are read at once, and not when the page is rendered: then nobody watches the clock."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)


class RunList(BoundedList):
    """Rows come with their `share`. `queryset` is everything that is found, whichever of it is paged through."""

    def get_results(self, request: HttpRequest) -> None:
        found = self.queryset
        self.queryset = self._present(found)
        super().get_results(request)
        self.queryset = found
        rows: Any = self.result_list
        written = shares(rows)
        for row in rows:
            row.share = written.get(row.pk)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Runs that have no such time come last, whichever way it is sorted."""
        return [self._nulls_last(each) for each in super().get_ordering(request, queryset)]

    def _present(self, found: QuerySet[Any]) -> QuerySet[Any]:
        """Only the runs that have the value sorted by, where these alone fill the pages: then an index gives them in
        order, and not a sort of the whole table."""
        ordering = found.query.order_by
        first: Any = ordering[0] if ordering else None
        if not getattr(first, "nulls_last", None):
            return found
        columns = [part.name for part in first.flatten() if isinstance(part, F)]
        present = found.filter(**{f"{name}__isnull": False for name in columns})
        if present.order_by().values("pk")[: COUNTED + 1].count() <= COUNTED:
            return found
        first = first.copy()
        first.nulls_last = None
        return present.order_by(first, *ordering[1:])

    def _nulls_last(self, order: Any) -> Any:
        if isinstance(order, str):
            name = order.lstrip("-")
            if name == "pk" or not getattr(self.lookup_opts.get_field(name), "null", False):
                return order  # as the index has it
            order = OrderBy(F(name), descending=order.startswith("-"))
        order.nulls_first, order.nulls_last = None, True
        return order
