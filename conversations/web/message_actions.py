"""A person's actions on one message: switch to another version of it, or copy it."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from conversations.commands import versions
from conversations.models import Conversation, Message
from conversations.rendering import message_text, transcript_pages

from .chat_page import render_conversation
from .request_type import HttpRequest


@login_required
@require_POST
def switch_version(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: put this version of a message on screen, followed by what was on screen after it last time."""
    message = _own_message(request, pk)
    versions.switch_to(message)
    if request.htmx:
        page = transcript_pages.around(message.conversation, message)
        return render_conversation(request, message.conversation, page)
    return redirect(message.conversation)


@never_cache
@login_required
@require_safe
def text(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the source of a message as plain text, for the Copy button."""
    message = _own_message(request, pk)
    source = message_text.text_so_far(message, getattr(message, "generation", None))
    return HttpResponse(source, content_type="text/plain; charset=utf-8")


def _own_message(request: HttpRequest, pk: uuid.UUID) -> Message:
    """The message, with its conversation and generation. Raises Http404 unless the person may see it."""
    rows = Message.objects.select_related("conversation", "generation")
    return get_object_or_404(rows, pk=pk, conversation__in=Conversation.objects.visible_to(request.user))
