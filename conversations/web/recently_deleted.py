"""Recently deleted conversations, which a person can still restore, or delete permanently."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from conversations.models import Conversation
from conversations.operations import retention

from .request_type import HttpRequest

MAX_ROWS = 200
"""Conversations on the page, most recently deleted first. Older ones follow once these are restored or removed."""


@never_cache
@login_required
@require_safe
def recently_deleted(request: HttpRequest) -> HttpResponse:
    """GET: the list, as a page or for the chat's dialog."""
    return render_list(request)


@login_required
@require_POST
def delete_for_good(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: remove a conversation that was deleted before."""
    conversation = get_object_or_404(Conversation.objects.deleted_by(request.user), pk=pk)
    title = {"title": conversation.title}
    if retention.delete_batch(Conversation.objects.filter(pk=conversation.pk, deleted_at__isnull=False)):
        messages.success(request, _("“%(title)s” was deleted for good.") % title)
    else:
        messages.warning(request, _("An answer in “%(title)s” is still ending. Try again.") % title)
    return render_list(request) if request.htmx else redirect("recently-deleted")


def render_list(request: HttpRequest) -> HttpResponse:
    """The list, as a page or for the chat's dialog."""
    deleted = Conversation.objects.deleted_by(request.user).begun().order_by("-deleted_at", "-id")
    rows = list(deleted[: MAX_ROWS + 1])
    context = {
        "rows": [(row, _kept_until(row)) for row in rows[:MAX_ROWS]],
        "more": len(rows) > MAX_ROWS,
        "kept": retention_period(),
    }
    template = "conversations/_recently_deleted.html" if request.htmx else "conversations/recently_deleted.html"
    return render(request, template, context)


def retention_period() -> str:
    """How long deleted conversations are kept, in words."""
    days = settings.CHAT_KEEP_DELETED
    if days < 1:
        return _("less than a day")
    return ngettext("%(count)d day", "%(count)d days", int(days)) % {"count": int(days)}


def _kept_until(conversation: Conversation) -> datetime | None:
    """When a deleted conversation will be removed permanently; None if that is beyond the calendar."""
    try:
        return (conversation.deleted_at or conversation.active_at) + timedelta(days=settings.CHAT_KEEP_DELETED)
    except OverflowError:
        return None
