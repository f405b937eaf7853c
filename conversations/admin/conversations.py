"""Conversations and messages in the administration. Lists show no text, so that only an opened page has to be written
down."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Generation, Message

from .audit import ReadingAdmin
from .base import answer, reads_text
from .filters import PersonFilter


class OwnerFilter(PersonFilter):
    title = _("owner")
    field = "owner"


class ConversationOwnerFilter(PersonFilter):
    title = _("owner")
    field = "conversation__owner"


@admin.register(Conversation)
class ConversationAdmin(ReadingAdmin):
    """To open one, staff also need to be allowed to view messages."""

    list_display = ["active_at", "owner", "model", "created_at", "id"]
    list_filter = ["active_at", OwnerFilter]
    list_select_related = ["owner"]
    search_fields = ["title"]
    search_help_text = _("Words of the title")
    ordering = ["-active_at"]
    fields = ["id", "title", "owner", "model", "created_at", "active_at", "deleted_at", "transcript"]
    readonly_fields = ["transcript"]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) and (obj is None or reads_text(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).select_related("owner")

    def conversation_of(self, record: Conversation) -> Conversation:
        return record

    @admin.display(description=_("transcript"))
    def transcript(self, conversation: Conversation) -> SafeString:
        branch = Message.objects.branch(conversation.head_id)
        generations = Generation.objects.in_bulk([message.pk for message in branch], field_name="message_id")
        return SafeString("".join(answer(message, generations.get(message.pk)) for message in branch))


@admin.register(Message)
class MessageAdmin(ReadingAdmin):
    list_display = ["created_at", "owner", "role", "status", "id"]
    list_filter = ["status", "role", "generation__end_reason", "created_at", ConversationOwnerFilter]
    list_select_related = ["conversation__owner"]
    search_fields = ["content"]
    search_help_text = _("Words of the text")
    ordering = ["-id"]
    fields = ["id", "conversation", "parent_id", "role", "status", "created_at", "text"]
    readonly_fields = ["parent_id", "text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).select_related("conversation__owner")

    def conversation_of(self, record: Message) -> Conversation:
        return record.conversation

    @admin.display(description=_("owner"))
    def owner(self, message: Message) -> str:
        return message.conversation.owner.get_username()

    @admin.display(description=_("answer to"))
    def parent_id(self, message: Message) -> str:
        return str(message.parent_id or "")

    @admin.display(description=_("text"))
    def text(self, message: Message) -> SafeString:
        return answer(message, getattr(message, "generation", None))
