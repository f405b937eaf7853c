"""Filters with fields to fill in, because a list of all people would be too long."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class TypedFilter(admin.ListFilter):
    """Fields to fill in instead of a list of choices. `names` are its query parameters."""

    template = "admin/conversations/typed_filter.html"
    names: Sequence[str] = ()
    kind = "search"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def label(self, name: str) -> Any:
        return self.title

    def given(self, name: str) -> str:
        return str(self.used_parameters.get(name, "")).strip()

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        others = [
            (name, value)
            for name, values in changelist.get_filters_params().items()
            if name not in self.names
            for value in values
        ]
        if changelist.query:
            others.append(("q", changelist.query))
        yield {
            "others": others,
            "fields": [(name, self.label(name), self.given(name)) for name in self.names],
            "kind": self.kind,
            "clear": changelist.get_query_string(remove=list(self.names)),
        }


class PersonFilter(TypedFilter):
    """By part of the name: there may be ten thousand people."""

    title: Any = _("person")
    field = "requested_by"
    names = ("person",)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.given("person")
        if not name:
            return queryset
        if "\0" in name:
            raise IncorrectLookupParameters
        people = get_user_model().objects.filter(username__icontains=name)
        return queryset.filter(**{f"{self.field}__in": list(people.values_list("pk", flat=True)[:1000])})
