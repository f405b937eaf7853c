"""Recently deleted: what a person deleted and can still bring back, or remove for good at once."""

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

from .request import HttpRequest

LISTED = 200
"""Conversations on the page, the newest deletions first; older ones follow as these are restored or removed."""


@never_cache
@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    return page(request)


def page(request: HttpRequest) -> HttpResponse:
    """The list: as a page, or for the chat's dialog."""
    rows = list(Conversation.objects.deleted_by(request.user).begun().order_by("-deleted_at", "-id")[: LISTED + 1])
    context = {"rows": [(row, _goes(row)) for row in rows[:LISTED]], "more": len(rows) > LISTED, "kept": kept()}
    template = "conversations/_deleted_list.html" if request.htmx else "conversations/deleted.html"
    return render(request, template, context)


@login_required
@require_POST
def remove(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """For good; only what was deleted before."""
    found = get_object_or_404(Conversation.objects.deleted_by(request.user), pk=pk)
    if retention.delete_batch(Conversation.objects.filter(pk=found.pk, deleted_at__isnull=False)):
        messages.success(request, _("“%(title)s” is removed for good.") % {"title": found.title})
    else:
        messages.warning(request, _("An answer in “%(title)s” is still ending. Try again.") % {"title": found.title})
    return page(request) if request.htmx else redirect("deleted")


def kept() -> str:
    """How long deleted conversations are kept, in words."""
    days = settings.CHAT_KEEP_DELETED
    if days < 1:
        return _("less than a day")
    return ngettext("%(count)d day", "%(count)d days", int(days)) % {"count": int(days)}


def _goes(conversation: Conversation) -> datetime | None:
    """When it is removed for good; None beyond the calendar."""
    try:
        return (conversation.deleted_at or conversation.active_at) + timedelta(days=settings.CHAT_KEEP_DELETED)
    except OverflowError:
        return None
