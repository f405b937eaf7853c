"""The list of generations, fast with millions of rows."""

from typing import Any

from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest

from conversations.admin.capped_changelist import MAX_COUNT, BoundedList

from .share_written import shares


class GenerationList(BoundedList):
    """Adds `share` to its rows. `queryset` is everything found, also beyond the pages."""

    def get_results(self, request: HttpRequest) -> None:
        found = self.queryset
        self.queryset = self._with_value(found)
        super().get_results(request)
        self.queryset = found
        rows: Any = self.result_list
        written = shares(rows)
        for row in rows:
            row.share = written.get(row.pk)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Sort rows without a value last in both directions."""
        return [self._nulls_last(each) for each in super().get_ordering(request, queryset)]

    def _with_value(self, found: QuerySet[Any]) -> QuerySet[Any]:
        """Only rows with the value sorted by, if these alone fill the pages: then an index gives the order instead of
        a sort of the whole table."""
        ordering = found.query.order_by
        first: Any = ordering[0] if ordering else None
        if not getattr(first, "nulls_last", None):
            return found
        columns = [part.name for part in first.flatten() if isinstance(part, F)]
        present = found.filter(**{f"{name}__isnull": False for name in columns})
        if present.order_by().values("pk")[: MAX_COUNT + 1].count() <= MAX_COUNT:
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
