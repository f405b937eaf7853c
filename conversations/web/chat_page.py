"""The chat: a new one, or a conversation with the messages on screen."""

import uuid

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import reswap, retarget

from conversations.cluster import presence
from conversations.commands import versions
from conversations.commands.conversation_settings_form import ConversationSettingsForm
from conversations.models import Conversation, Message
from conversations.models.conversation import parse_id
from conversations.people import effective_preferences
from conversations.providers.catalog.model_catalog import catalog
from conversations.providers.catalog.offered_model import Choice
from conversations.rendering import fragments, jinja, transcript_entries, transcript_pages
from conversations.rendering.transcript_pages import TranscriptPage

from . import sidebar
from .request_type import HttpRequest, User


@never_cache
@login_required
@require_safe
def new_chat(request: HttpRequest) -> HttpResponse:
    """GET: a new chat."""
    return _render(request, None)


@never_cache
@login_required
@require_safe
def conversation(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the end of a conversation, or with `?at=` the messages around that one."""
    current = _own_conversation(request, pk)
    at = request.GET.get("at", "")
    page = transcript_pages.around(current, _message(current, at)) if at else None
    return _render(request, current, page, at=at)


@never_cache
@login_required
@require_safe
def more_messages(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the messages `?before=` or `?after=` one that is on screen, as a fragment. `?branch=` names the last message
    of the branch that the page shows, if that is not the stored one."""
    current = _own_conversation(request, pk)
    versions.show_branch(current, parse_id(request.GET.get("branch", "")))
    if before := request.GET.get("before", ""):
        page: TranscriptPage | None = transcript_pages.before(current, _message(current, before))
    else:
        page = transcript_pages.after(current, _message(current, request.GET.get("after", "")))
    if page is None:  # the conversation has switched to another branch
        return retarget(reswap(render_conversation(request, current), "outerHTML"), "#conversation")
    context = fragments.transcript_page_context(current, page)
    return HttpResponse(jinja.render("transcript_page.jinja", context, request))


def render_conversation(
    request: HttpRequest, current: Conversation, page: TranscriptPage | None = None
) -> HttpResponse:
    """The conversation as a fragment, for htmx. `page`: the messages to show, by default the latest."""
    return render(request, "conversations/_conversation.html", _context(request.user, current, page))


def _own_conversation(request: HttpRequest, pk: uuid.UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.visible_to(request.user).select_related("head"), pk=pk)


def _message(conversation: Conversation, pk: str) -> Message:
    return get_object_or_404(conversation.messages, pk=parse_id(pk))


def _render(
    request: HttpRequest, current: Conversation | None, page: TranscriptPage | None = None, *, at: str = ""
) -> HttpResponse:
    context = {**_context(request.user, current, page), "at": parse_id(at)}
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "conversations/_conversation.html", context)
    return render(request, "conversations/chat_page.html", {**context, **sidebar.context(request)})


def _context(user: User, current: Conversation | None, page: TranscriptPage | None) -> dict[str, object]:
    nonce = _register_page(current)  # before the messages are read
    return {
        "conversation": current,
        **_transcript_context(current, page),
        **_model_context(user, current),
        "blanks": transcript_entries.BLANKS,
        "settings_form": ConversationSettingsForm() if current is None else None,
        "page_nonce": nonce,
        "limits": {"prompt": settings.CHAT_MAX_PROMPT, "frame": settings.CHAT_MAX_FRAME},
        "examples": [
            _("Explain how a rainbow comes about, in three short paragraphs"),
            _("Compare tea and coffee in a table"),
            _("Write a Python function that finds the prime numbers up to n"),
        ],
    }


def _register_page(current: Conversation | None) -> str:
    """A random ID for the page, with which its socket introduces itself. Until then the page counts as a viewer of the
    conversation's live answer."""
    nonce = uuid.uuid4().hex
    running = current.generations.streaming().first() if current is not None else None
    if running is not None:
        presence.page_served(running.pk, nonce)
    return nonce


def _transcript_context(current: Conversation | None, page: TranscriptPage | None) -> dict[str, object]:
    if current is None:
        return {}
    return fragments.transcript_page_context(current, page or transcript_pages.latest(current))


def _model_context(user: User, current: Conversation | None) -> dict[str, object]:
    """For the model picker: the choices, the chosen one, and the conversation's own if it is no longer offered."""
    models = catalog.choices(user)
    keys = {choice.key for choice in models}
    wanted = current.model if current is not None else effective_preferences.model_for_new_chats(user, keys)
    chosen = _chosen(models, wanted)
    return {
        "models": models,
        "model": chosen,
        "missed_model": current.model if current is not None and current.model not in keys else "",
        "demo": chosen is not None and catalog.is_demo(chosen.key),
    }


def _chosen(models: list[Choice], wanted: str) -> Choice | None:
    """The wanted model if it is offered, else the default; None if there is neither."""
    return next((choice for choice in models if choice.key == wanted), None) or next(
        (choice for choice in models if choice.default), None
    )
