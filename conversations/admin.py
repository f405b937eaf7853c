"""The admin: what was asked, what was written, how each run ended. Read-only: nobody edits what a model said."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from . import fragments
from .models import Conversation, Generation, Message

admin.site.site_header = admin.site.site_title = _("Chat administration")


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """Staff with the view permission may look; nobody may add, change or delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _answer(message: Message, generation: Generation | None) -> SafeString:
    """The text by the page's own renderer, under the page's own sentence."""
    entry = fragments.entry(message, generation)
    text = entry.html if entry.role == "assistant" else format_html("<pre>{}</pre>", entry.content)
    return format_html(
        '<div class="answer" data-status="{}"><div data-content>{}</div><p data-note>{}</p></div>',
        entry.status,
        text,
        entry.note,
    )


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ["title", "owner", "model", "active_at", "created_at"]
    list_filter = ["model", "active_at", ("owner", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["title", "owner__username"]
    date_hierarchy = "active_at"
    ordering = ["-active_at"]
    fields = ["id", "title", "owner", "model", "created_at", "active_at", "deleted_at", "transcript"]
    readonly_fields = ["transcript"]

    @admin.display(description=_("transcript"))
    def transcript(self, conversation: Conversation) -> SafeString:
        branch = Message.objects.branch(conversation.head_id)
        generations = Generation.objects.in_bulk([message.pk for message in branch], field_name="message_id")
        return SafeString("".join(_answer(message, generations.get(message.pk)) for message in branch))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "conversation", "role", "status", "beginning"]
    list_filter = [
        "status",
        "role",
        "generation__end_reason",
        "generation__model",
        "created_at",
        ("conversation__owner", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["conversation"]
    search_fields = ["content"]
    ordering = ["-id"]
    fields = ["id", "conversation", "parent", "role", "status", "created_at", "text"]
    readonly_fields = ["text"]

    @admin.display(description=_("beginning"))
    def beginning(self, message: Message) -> str:
        return message.content[:80]

    @admin.display(description=_("text"))
    def text(self, message: Message) -> SafeString:
        return _answer(message, getattr(message, "generation", None))


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    list_display = [
        "requested_at",
        "requested_by",
        "model",
        "status",
        "end_reason",
        "first_token",
        "stop_to_closed",
        "tokens_out",
        "characters",
    ]
    list_filter = [
        "status",
        "end_reason",
        "model",
        "kind",
        ("requested_by", admin.RelatedOnlyFieldListFilter),
        "requested_at",
    ]
    list_select_related = ["requested_by"]
    search_fields = ["requested_by__username", "conversation__title", "model"]
    date_hierarchy = "requested_at"
    ordering = ["-requested_at"]
    readonly_fields = ["text", "first_token", "stop_to_closed"]
    fieldsets = [
        (None, {"fields": ["text", "status", "end_reason", "error_code", "detail", "retry_after"]}),
        (_("Run"), {"fields": ["id", "conversation", "requested_by", "kind", "continued_from", "endpoint", "model"]}),
        (
            _("Times"),
            {
                "fields": [
                    "requested_at",
                    "opened_at",
                    "first_token_at",
                    "first_token",
                    "stop_requested_at",
                    "upstream_closed_at",
                    "stop_to_closed",
                    "ended_at",
                ]
            },
        ),
        (_("Size"), {"fields": ["characters", "tokens_in", "tokens_out", "usage_source", "owner"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("message", "conversation", "owner")

    @admin.display(description=_("what was written"))
    def text(self, generation: Generation) -> SafeString:
        return _answer(generation.message, generation)

    @admin.display(description=_("first token (ms)"))
    def first_token(self, generation: Generation) -> int | None:
        return _milliseconds(generation.requested_at, generation.first_token_at)

    @admin.display(description=_("stop to closed upstream (ms)"))
    def stop_to_closed(self, generation: Generation) -> int | None:
        return _milliseconds(generation.stop_requested_at, generation.upstream_closed_at)


def _milliseconds(begin: Any, end: Any) -> int | None:
    return None if begin is None or end is None else round((end - begin).total_seconds() * 1000)
