"""A person's actions on a whole conversation: rename, pin, archive, delete and restore it.

Each action is a plain form; for htmx the response is the part of the page that changes. All open pages of the person
are notified.
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
from .request_type import HttpRequest
from .sidebar import with_running_generation


@never_cache
@login_required
@require_safe
def actions(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the list of actions, as a menu or, without scripts, as a page."""
    conversation = _own_conversation(request, pk)
    template = "conversations/_conversation_menu.html" if request.htmx else "conversations/conversation_actions.html"
    return render(request, template, {"row": conversation})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the form, in place of the row. POST: rename, or show the form again with a reason."""
    conversation = _own_conversation(request, pk)
    if request.method != "POST":
        return _rename_form(request, conversation, conversation.title, "")
    title = " ".join(request.POST.get("title", "").replace("\0", "").split())
    problem = _title_problem(title)
    if problem:
        return _rename_form(request, conversation, title, problem)
    if title != conversation.title:
        conversation.rename(title)
        _notify(conversation)
    return _row(request, conversation) if request.htmx else redirect(conversation)


@never_cache
@login_required
@require_safe
def row(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the row of the sidebar, to which a cancelled rename returns."""
    return _row(request, _own_conversation(request, pk))


@login_required
@require_POST
def pin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: list the conversation first."""
    return _change(request, pk, Conversation.pin)


@login_required
@require_POST
def unpin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: list the conversation by its date again."""
    return _change(request, pk, Conversation.unpin)


@login_required
@require_POST
def archive(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: move the conversation to the archive. For htmx the response is a toast with Undo."""
    response = _change(request, pk, Conversation.archive)
    if not request.htmx:
        return response
    toast = render(request, "conversations/_archived_toast.html", {"archived": _own_conversation(request, pk)})
    return _trigger_shelved(trigger_client_event(toast, "sidebar:refresh"), pk, archived=True)


@login_required
@require_POST
def unarchive(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: move the conversation out of the archive."""
    response = _change(request, pk, Conversation.unarchive)
    return _trigger_shelved(response, pk, archived=False) if request.htmx else response


@login_required
@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: hide the conversation and end its answer. Offers Undo."""
    conversation = _own_conversation(request, pk)
    conversation.delete_softly()
    supervisor.call(supervisor.conversation_deleted, conversation.pk)
    _notify(conversation)
    if not request.htmx:
        return redirect(f"{reverse('home')}?deleted={conversation.pk}")
    context = {"deleted": conversation, "kept": recently_deleted.retention_period()}
    toast = render(request, "conversations/_deleted_toast.html", context)
    return trigger_client_event(toast, "conversation:deleted", {"conversation": str(conversation.pk)}, after="settle")


@login_required
@require_POST
def restore(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: undo a deletion; without effect if there was none. For htmx, `list` in the form requests the list of
    deleted conversations as the response, and `open` the conversation itself."""
    own = Conversation.objects.deleted_by(request.user) | Conversation.objects.visible_to(request.user)
    conversation = get_object_or_404(own, pk=pk)
    if conversation.deleted_at is not None:
        conversation.restore()
        _notify(conversation)
    if not request.htmx:
        return redirect(conversation)
    if "list" in request.POST:
        messages.success(request, _("“%(title)s” is back in your list.") % {"title": conversation.title})
        return trigger_client_event(recently_deleted.render_list(request), "sidebar:refresh")
    if "open" in request.POST:
        return HttpResponseLocation(conversation.get_absolute_url(), target="#conversation", swap="outerHTML")
    return trigger_client_event(HttpResponse(""), "sidebar:refresh")


def _own_conversation(request: HttpRequest, pk: uuid.UUID) -> Conversation:
    return get_object_or_404(with_running_generation(Conversation.objects.visible_to(request.user)), pk=pk)


def _change(request: HttpRequest, pk: uuid.UUID, change: Callable[[Conversation], None]) -> HttpResponse:
    conversation = _own_conversation(request, pk)
    change(conversation)
    _notify(conversation)
    if not request.htmx:
        return redirect(conversation)
    return trigger_client_event(HttpResponse(status=204), "sidebar:refresh")


def _trigger_shelved(response: HttpResponse, pk: uuid.UUID, *, archived: bool) -> HttpResponse:
    """Trigger an event that says whether the conversation, which may be on screen, is in the archive."""
    return trigger_client_event(response, "conversation:shelved", {"conversation": str(pk), "archived": archived})


def _notify(conversation: Conversation) -> None:
    supervisor.call(supervisor.conversation_changed, conversation.owner_id, conversation.pk, conversation.title)


def _title_problem(title: str) -> str:
    """Why a title is rejected, as a sentence; "" if it is not."""
    if not title:
        return _("A title needs at least one character.")
    if len(title) > MAX_TITLE_LENGTH:
        return _("A title can have up to %(limit)d characters; this one has %(count)d.") % {
            "limit": MAX_TITLE_LENGTH,
            "count": len(title),
        }
    return ""


def _row(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    return HttpResponse(jinja.render("sidebar_row.jinja", {"row": conversation, "conversation": None}, request))


def _rename_form(request: HttpRequest, conversation: Conversation, title: str, problem: str) -> HttpResponse:
    template = "conversations/_rename_form.html" if request.htmx else "conversations/conversation_actions.html"
    status = 400 if problem and not request.htmx else 200
    context = {"row": conversation, "title": title, "problem": problem}
    return render(request, template, context, status=status)
