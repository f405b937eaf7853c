"""What the pages of the administration share: records are read-only, and text looks as it does in the chat."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db import DataError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from conversations import fragments
from conversations.models import Generation, Message

from .listing import CappedPaginator

READS_TEXT = "conversations.view_message"
"""Whoever lacks it sees that something was written, when and by which model, but not what."""


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
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

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A filter that makes no sense gives the whole list and says so."""
        try:
            response: HttpResponse = super().changelist_view(request, extra_context)
        except (DataError, ValueError):  # what the database, and not the form, finds wrong: NUL, a broken pattern
            response = HttpResponseRedirect(f"{request.path}?e=1")
        if isinstance(response, HttpResponseRedirect) and urlsplit(response.url).query == "e=1":
            messages.warning(request, _("That filter was not understood, so everything is listed."))
            return HttpResponseRedirect(request.path)
        return response


def reads_text(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(READS_TEXT))


def answer(message: Message, generation: Generation | None) -> SafeString:
    """The text by the page's own renderer, under the page's own sentence."""
    entry = fragments.entry(message, generation)
    text = entry.html if entry.role == "assistant" else format_html("<pre>{}</pre>", entry.content)
    return format_html(
        '<div class="answer" data-status="{}"><div data-content>{}</div><p data-note>{}</p></div>',
        entry.status,
        text,
        entry.note,
    )
