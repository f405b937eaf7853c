"""The dialog in which a person sets a conversation's system prompt and temperature."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations.commands.conversation_settings_form import ConversationSettingsForm
from conversations.models import Conversation

from .request_type import HttpRequest

FIELDS = ("system_prompt", "temperature")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversation_settings(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET: the form. POST: save it, or show it again with its errors. Applies from the next answer."""
    conversation = get_object_or_404(Conversation.objects.visible_to(request.user), pk=pk)
    if not request.htmx:
        return redirect(conversation)
    form = ConversationSettingsForm(request.POST if request.method == "POST" else None, initial=vars(conversation))
    saved = form.is_bound and form.is_valid()
    if saved:
        conversation.system_prompt, conversation.temperature = (form.cleaned_data[name] for name in FIELDS)
        conversation.save(update_fields=FIELDS)
    return render(
        request,
        "conversations/_conversation_settings.html",
        {"conversation": conversation, "settings_form": form, "saved": saved},
    )
