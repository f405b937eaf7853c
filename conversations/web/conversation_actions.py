"""What a person does to a conversation as a whole: rename, pin, archive, delete, and take the deletion back.

Each is a plain form first; htmx gets the piece of the page that changes. All pages of the person hear of it.
"""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseLocation, trigger_client_event

from conversations.generation.supervisor import supervisor
from conversations.models import Conversation
from conversations.models.conversation import MAX_TITLE_LENGTH
from conversations.rendering import jinja

from . import recently_deleted
from .request import HttpRequest
from .sidebar import with_running


@never_cache
@login_required
@require_safe
def options(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What can be done to a conversation: a menu, or without scripts a page."""
    found = _visible(request, pk)
    page = "conversations/_options_menu.html" if request.htmx else "conversations/options.html"
    return render(request, page, {"row": found})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the form in place of the row. A title that cannot be taken comes back with a sentence."""
    found = _visible(request, pk)
    if request.method != "POST":
        return _rename_form(request, found, found.title, "")
    title = " ".join(request.POST.get("title", "").replace("\0", "").split())
    problem = _problem(title)
    if problem:
        return _rename_form(request, found, title, problem)
    if title != found.title:
        found.rename(title)
        _changed(found)
    return _row(request, found) if request.htmx else redirect(found)


@never_cache
@login_required
@require_safe
def row(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The row of the list as it is: what a rename that was given up goes back to."""
    return _row(request, _visible(request, pk))


@login_required
@require_POST
def pin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _do(request, pk, Conversation.pin)


@login_required
@require_POST
def unpin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _do(request, pk, Conversation.unpin)


@login_required
@require_POST
def archive(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _shelved(request, pk, _do(request, pk, Conversation.archive), archived=True)


@login_required
@require_POST
def unarchive(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _shelved(request, pk, _do(request, pk, Conversation.unarchive), archived=False)


@login_required
@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Out of sight, its answer ended, and a way back offered."""
    found = _visible(request, pk)
    found.delete_softly()
    supervisor.call(supervisor.conversation_deleted, found.pk)
    _changed(found)
    if not request.htmx:
        return redirect(f"{reverse('home')}?deleted={found.pk}")
    toast = render(request, "conversations/_deleted.html", {"deleted": found, "kept": recently_deleted.kept()})
    return trigger_client_event(toast, "conversation:deleted", {"conversation": str(found.pk)}, after="settle")


@login_required
@require_POST
def restore(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Undo a deletion. Of one that was not deleted it changes nothing."""
    owned = Conversation.objects.deleted_by(request.user) | Conversation.objects.visible_to(request.user)
    found = get_object_or_404(owned, pk=pk)
    if found.deleted_at is not None:
        found.restore()
        _changed(found)
    if not request.htmx:
        return redirect(found)
    if "list" in request.POST:
        messages.success(request, _("“%(title)s” is back in your list.") % {"title": found.title})
        return trigger_client_event(recently_deleted.page(request), "sidebar:refresh")
    if "open" in request.POST:
        return HttpResponseLocation(found.get_absolute_url(), target="#conversation", swap="outerHTML")
    return trigger_client_event(HttpResponse(""), "sidebar:refresh")


def _visible(request: HttpRequest, pk: uuid.UUID) -> Conversation:
    return get_object_or_404(with_running(Conversation.objects.visible_to(request.user)), pk=pk)


def _do(request: HttpRequest, pk: uuid.UUID, change: Callable[[Conversation], None]) -> HttpResponse:
    found = _visible(request, pk)
    change(found)
    _changed(found)
    return trigger_client_event(HttpResponse(status=204), "sidebar:refresh") if request.htmx else redirect(found)


def _shelved(request: HttpRequest, pk: uuid.UUID, done: HttpResponse, *, archived: bool) -> HttpResponse:
    """For the page: what was done with the way back, and where the conversation is, in case it is on screen."""
    if not request.htmx:
        return done
    if archived:
        done = render(request, "conversations/_archived.html", {"archived": _visible(request, pk)})
        trigger_client_event(done, "sidebar:refresh")
    return trigger_client_event(done, "conversation:shelved", {"conversation": str(pk), "archived": archived})


def _changed(conversation: Conversation) -> None:
    supervisor.call(supervisor.conversation_changed, conversation.owner_id, conversation.pk, conversation.title)


def _problem(title: str) -> str:
    if not title:
        return _("A title needs at least one character.")
    if len(title) > MAX_TITLE_LENGTH:
        return _("A title may have %(limit)d characters; this one has %(count)d.") % {
            "limit": MAX_TITLE_LENGTH,
            "count": len(title),
        }
    return ""


def _row(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    return HttpResponse(jinja.render("row.jinja", {"row": conversation, "conversation": None}, request))


def _rename_form(request: HttpRequest, conversation: Conversation, title: str, problem: str) -> HttpResponse:
    page = "conversations/_rename.html" if request.htmx else "conversations/options.html"
    status = 400 if problem and not request.htmx else 200
    context = {"row": conversation, "title": title, "problem": problem}
    return render(request, page, context, status=status)
