"""Conversations and messages in the administration."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Generation, Message

from .base import ReadOnlyAdmin, answer


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
        return SafeString("".join(answer(message, generations.get(message.pk)) for message in branch))


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
        return answer(message, getattr(message, "generation", None))
