"""Base classes of the admin: lists that can be filtered only as offered, and records that are read-only."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.db.models import Field, Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from .capped_changelist import BoundedList, CappedPaginator, QueryTimeout, query_time_limit

READS_TEXT = "conversations.view_message"
"""Permission to read text. Staff without it see who wrote when and with which model, but not what."""


class RestrictedLookupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """A list that the query string can filter only as the list itself offers.

    Django lets the query string filter by any field (`?title__startswith=a`), so somebody who sees the list could guess
    a text letter by letter.
    """

    lookups: Sequence[str] = ()
    """Lookups allowed in addition to the list's own filters."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether the query string may contain this lookup."""
        return lookup in self.lookups or any(
            lookup == name or lookup.startswith(f"{name}__") for name in self._filtered(request)
        )

    def _filtered(self, request: HttpRequest | None) -> Iterator[str]:
        """Names of the filters. A relation can be filtered by its key only, not by its fields."""
        for each in self.list_filter:
            if isinstance(each, type):
                yield from getattr(each, "names", None) or [str(getattr(each, "parameter_name", ""))]
                continue
            name = str(each[0] if isinstance(each, list | tuple) else each)
            related = isinstance(field := self._field(name), Field) and field.is_relation
            yield from [f"{name}__id", f"{name}__isnull"] if related else [name]

    def _field(self, path: str) -> Any:
        names = path.split("__")
        options = self.opts
        for name in names[:-1]:
            options = options.get_field(name).related_model._meta  # type: ignore[union-attr]  # noqa: SLF001
        return options.get_field(names[-1])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A filter that is invalid, not offered or too slow leads to the whole list with a message."""
        try:
            with (
                query_time_limit() if request.method == "GET" else nullcontext()
            ):  # an action on a selection may take longer
                response: HttpResponse = super().changelist_view(request, extra_context)
        except QueryTimeout:
            if not request.GET:
                raise
            messages.warning(request, _("The search timed out, so everything is listed. Narrow the filter."))
            return HttpResponseRedirect(request.path)
        except (DataError, ValueError, SuspiciousOperation):  # NUL, a broken pattern; a field that is not offered
            response = HttpResponseRedirect(f"{request.path}?e=1")
        if isinstance(response, HttpResponseRedirect) and urlsplit(response.url).query == "e=1":
            messages.warning(request, _("That filter is not valid, so everything is listed."))
            return HttpResponseRedirect(request.path)
        return response


class ReadOnlyAdmin(RestrictedLookupAdmin):
    """Staff with the view permission may view records; nobody may add, change or delete them."""

    show_facets = admin.ShowFacets.NEVER  # it counts the whole table, once for each choice
    show_full_result_count = False
    paginator = CappedPaginator
    change_form_template = "admin/conversations/read_only.html"
    view_on_site = False  # the address is its owner's

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only with the view permission. Django also accepts the change permission, which has another meaning here."""
        permission = get_permission_codename("view", self.opts)
        return bool(request.user.has_perm(f"{self.opts.app_label}.{permission}"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Nothing is edited, so there is no history; and Django's page would show a title without an audit entry."""
        raise Http404

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """No form refers to these rows, so Django's autocomplete, which would reveal titles and texts, is closed."""
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        """A list whose rows are read within the time limit of `changelist_view`."""
        return BoundedList


def may_read_text(request: HttpRequest) -> bool:
    """Whether this member of staff may read text."""
    return bool(request.user.has_perm(READS_TEXT))
