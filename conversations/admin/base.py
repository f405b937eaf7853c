"""What the pages of the administration share: records are read-only, and text looks as it does in the chat."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.db.models import Field, Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext as _

from conversations.models import Generation, Message
from conversations.rendering import transcript_entries

from .changelist import BoundedList, CappedPaginator, TooSlow, bounded

READS_TEXT = "conversations.view_message"
"""Whoever lacks it sees that something was written, when and by which model, but not what."""


class NarrowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """A list that an address filters by what the list offers, and by nothing else.

    Django lets an address ask for any field of a row (`?title__startswith=a`), so whoever sees the list could guess a
    text letter by letter.
    """

    lookups: Sequence[str] = ()
    """What an address may ask for beside the list's own filters."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether an address may filter by this."""
        return lookup in self.lookups or any(
            lookup == name or lookup.startswith(f"{name}__") for name in self._filtered(request)
        )

    def _filtered(self, request: HttpRequest | None) -> Iterator[str]:
        """Names of the filters. A relation has no field of its own that an address could ask for, only its key."""
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
        """A filter that makes no sense, is not offered or takes too long gives the whole list and says so."""
        try:
            with bounded() if request.method == "GET" else nullcontext():  # what is done to a selection takes its time
                response: HttpResponse = super().changelist_view(request, extra_context)
        except TooSlow:
            if not request.GET:
                raise
            messages.warning(request, _("That took too long, so everything is listed. Filter for less at a time."))
            return HttpResponseRedirect(request.path)
        except (DataError, ValueError, SuspiciousOperation):  # NUL, a broken pattern; a field that is not offered
            response = HttpResponseRedirect(f"{request.path}?e=1")
        if isinstance(response, HttpResponseRedirect) and urlsplit(response.url).query == "e=1":
            messages.warning(request, _("That filter was not understood, so everything is listed."))
            return HttpResponseRedirect(request.path)
        return response


class ReadOnlyAdmin(NarrowAdmin):
    """Staff with the view permission may look; nobody may add, change or delete."""

    show_facets = admin.ShowFacets.NEVER  # it counts the whole table, once for each choice
    show_full_result_count = False
    paginator = CappedPaginator
    change_form_template = "admin/conversations/read_only.html"
    view_on_site = False  # the address is its owner's

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only by the permission of that name. Django's own takes the one to change for it, too, which is another deed
        here."""
        permission = get_permission_codename("view", self.opts)
        return bool(request.user.has_perm(f"{self.opts.app_label}.{permission}"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Nothing is edited here, so there is no history; and its page would show a title to nobody's record."""
        raise Http404

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """No form refers to these rows. So Django's search for such forms, which would answer with titles and texts,
        is closed."""
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        """The list with its rows, read within the time that `changelist_view` allows."""
        return BoundedList


def moment(at: datetime | None) -> str:
    """A time to the second, in the zone of the administration (`TIME_ZONE`)."""
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def in_zone(title: Any) -> Any:
    """Title of a column of times, which names their zone."""
    return format_lazy("{} ({})", title, settings.TIME_ZONE)


def reads_text(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(READS_TEXT))


def answer(message: Message, generation: Generation | None) -> SafeString:
    """The text by the page's own renderer, under the page's own sentence."""
    entry = transcript_entries.entry(message, generation)
    text = entry.html if entry.role == "assistant" else format_html("<pre>{}</pre>", entry.content)
    return format_html(
        '<div class="answer" data-status="{}"><div data-content>{}</div><p data-note>{}</p></div>',
        entry.status,
        text,
        entry.note,
    )
