"""The pages, and the Stop that works without the socket."""

import uuid

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from conversations.cluster import presence
from conversations.commands import versions
from conversations.commands.conversation_settings_form import ConversationSettingsForm
from conversations.commands.end_generation import request_end
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, Generation, Message
from conversations.models.conversation import parse_id
from conversations.people import preferences
from conversations.providers.model_catalog import Choice, catalog
from conversations.rendering import fragments, jinja, message_text, transcript_entries, transcript_pages
from conversations.rules.status import EndReason, Status
from conversations.rules.stop_request import StopRequest
from conversations.storage.db_threads import in_database
from conversations.storage.request_connections import give_back

from . import sidebar
from .request import HttpRequest


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A new chat."""
    return _page(request, None)


@never_cache
@login_required
@require_safe
def conversation(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The end of the conversation, or with `?at=` the messages around that one."""
    current = _visible(request, pk)
    at = request.GET.get("at", "")
    return _page(request, current, transcript_pages.around(current, _message(current, at)) if at else None, at=at)


@never_cache
@login_required
@require_safe
def messages(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """More messages of a conversation that is on the page: those `?before=` or `?after=` the one that it has."""
    current = _visible(request, pk)
    versions.show_branch(current, parse_id(request.GET.get("branch", "")))
    if before := request.GET.get("before", ""):
        window: transcript_pages.TranscriptPage | None = transcript_pages.before(current, _message(current, before))
    else:
        window = transcript_pages.after(current, _message(current, request.GET.get("after", "")))
    if window is None:  # another branch is on screen now
        page = render(request, "conversations/_conversation.html", _context(request.user, current))
        return retarget(reswap(page, "outerHTML"), "#conversation")
    return HttpResponse(
        jinja.render("transcript_page.jinja", fragments.transcript_page_context(current, window), request)
    )


@login_required
@require_POST
def show(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put this version of a message on screen, with what followed it when it was there last."""
    message = get_object_or_404(
        Message.objects.select_related("conversation"),
        pk=pk,
        conversation__in=Conversation.objects.visible_to(request.user),
    )
    versions.switch_to(message)
    if request.htmx:
        window = transcript_pages.around(message.conversation, message)
        return render(request, "conversations/_conversation.html", _context(request.user, message.conversation, window))
    return redirect(message.conversation)


@never_cache
@login_required
@require_safe
def text(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A message as it was written, to be copied."""
    message = get_object_or_404(
        Message.objects.select_related("generation"),
        pk=pk,
        conversation__in=Conversation.objects.visible_to(request.user),
    )
    written = message_text.text_so_far(message, getattr(message, "generation", None))
    return HttpResponse(written, content_type="text/plain; charset=utf-8")


@require_POST
async def stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop without the socket, from any process. Cancels before it looks anything up if the run is here."""
    user = await request.auser()
    if not user.is_authenticated:
        return redirect(f"{settings.LOGIN_URL}?next=/")
    live = supervisor.live.get(pk)
    if live is not None and live.user == user.pk:
        live.stop(EndReason.STOPPED, StopRequest.from_page(user.pk))
        return _after_stop(request, live.conversation)
    await give_back()
    generation = await in_database(_generation_of, user, pk)
    if generation is None:
        raise Http404
    if generation.status == Status.STREAMING:
        await request_end(supervisor, pk, EndReason.STOPPED, StopRequest.from_page(user.pk))
    return _after_stop(request, generation.conversation_id)


def _after_stop(request: HttpRequest, conversation_id: uuid.UUID) -> HttpResponse:
    if request.headers.get("accept", "").startswith("application/json") or request.htmx:
        return HttpResponse(status=204)
    return redirect("conversation", conversation_id)


def _generation_of(user: AbstractBaseUser | AnonymousUser, pk: uuid.UUID) -> Generation | None:
    return Generation.objects.visible_to(user).filter(pk=pk).first()


def _visible(request: HttpRequest, pk: uuid.UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.visible_to(request.user).select_related("head"), pk=pk)


def _message(conversation: Conversation, pk: str) -> Message:
    return get_object_or_404(conversation.messages, pk=parse_id(pk))


def _page(
    request: HttpRequest,
    current: Conversation | None,
    window: transcript_pages.TranscriptPage | None = None,
    *,
    at: str = "",
) -> HttpResponse:
    context = {**_context(request.user, current, window), "at": parse_id(at)}
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "conversations/_conversation.html", context)
    return render(request, "conversations/page.html", {**context, **sidebar.context(request)})


def _context(
    user: AbstractBaseUser | AnonymousUser,
    current: Conversation | None,
    window: transcript_pages.TranscriptPage | None = None,
) -> dict[str, object]:
    nonce = uuid.uuid4().hex
    running = current.generations.streaming().first() if current is not None else None
    if running is not None:
        presence.served(running.pk, nonce)
    models = catalog.choices(user)
    keys = {choice.key for choice in models}
    chosen = _chosen(models, current.model if current is not None else preferences.model_for_new_chats(user, keys))
    return {
        "conversation": current,
        **(
            fragments.transcript_page_context(current, window or transcript_pages.latest(current))
            if current is not None
            else {}
        ),
        "models": models,
        "model": chosen,
        "missed_model": current.model if current is not None and all(c.key != current.model for c in models) else "",
        "demo": chosen is not None and catalog.is_demo(chosen.key),
        "blanks": transcript_entries.BLANKS,
        "instructions": ConversationSettingsForm() if current is None else None,
        "page_nonce": nonce,
        "limits": {"prompt": settings.CHAT_MAX_PROMPT, "frame": settings.CHAT_MAX_FRAME},
        "examples": [
            _("Explain how a rainbow comes about, in three short paragraphs"),
            _("Compare tea and coffee in a table"),
            _("Write a Python function that finds the prime numbers up to n"),
        ],
    }


def _chosen(models: list[Choice], usual: str) -> Choice | None:
    """The model that the picker shows: the conversation's, where it is still offered, else the default."""
    return next((choice for choice in models if choice.key == usual), None) or next(
        (choice for choice in models if choice.default), None
    )
