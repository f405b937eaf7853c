"""Conversations and messages in the admin.

Lists show no text, so only opened pages and searches for words are recorded in the audit log.
"""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Generation, Message
from conversations.models.conversation import parse_id

from .audit import TextAdmin, record_search
from .base import may_read_text
from .display import format_time, message_html, with_time_zone
from .filters import PersonFilter

MAX_MESSAGES = 50
MAX_BYTES = 100_000
"""Limits of one page of a transcript: highlighting code takes CPU time that answers need."""


class OwnerFilter(PersonFilter):
    title = _("owner")
    field = "owner"


class ConversationOwnerFilter(PersonFilter):
    title = _("owner")
    field = "conversation__owner"


class SearchingAdmin(TextAdmin):
    """Its search reads text, so it requires the permission to read text, and each search is recorded first."""

    words = ""
    """The field that is searched."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by ID, or by words for staff who may read text."""
        term = search_term.strip()
        key = parse_id(term)
        if key is not None:
            return queryset.filter(self.of_key(key)), False
        if not term:
            return queryset, False
        if not may_read_text(request):
            return queryset.none(), False
        record_search(request, self.opts.model_name or "", term)
        return queryset.filter(**{f"{self.words}__icontains": term}), False

    def of_key(self, key: uuid.UUID) -> Q:
        """The rows that an ID can refer to."""
        return Q(pk=key)


@admin.register(Conversation)
class ConversationAdmin(SearchingAdmin):
    """Opening a conversation also requires the permission to view messages."""

    words = "title"

    list_display = ["last_active", "owner", "model", "begun", "id"]
    list_filter = ["active_at", OwnerFilter]
    list_select_related = ["owner"]
    search_fields = ["id"]  # so that there is a field to type into; see get_search_results
    search_help_text = _("An ID, or words of the title (for staff who may view messages)")
    ordering = ["-active_at"]
    fields = ["id", "title", "owner", "model", "created_at", "active_at", "deleted_at", "transcript"]
    readonly_fields = ["transcript"]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) and (obj is None or may_read_text(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).select_related("owner")

    def conversation_of(self, record: Conversation) -> Conversation:
        return record

    @admin.display(description=with_time_zone(_("last active")), ordering="active_at")
    def last_active(self, conversation: Conversation) -> str:
        return format_time(conversation.active_at)

    @admin.display(description=with_time_zone(_("started")), ordering="created_at")
    def begun(self, conversation: Conversation) -> str:
        return format_time(conversation.created_at)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """A long conversation is shown in parts; `?until=` names the last message of the part."""
        kwargs["obj"].until = parse_id(request.GET.get("until", ""))
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("transcript"))
    def transcript(self, conversation: Any) -> SafeString:
        """The end of the branch on screen, or the requested part, with a link to earlier messages."""
        end = conversation.messages.filter(pk=conversation.until).values_list("pk", flat=True).first()
        branch = Message.objects.branch(end or conversation.head_id, limit=MAX_MESSAGES, size=MAX_BYTES)
        generations = Generation.objects.in_bulk([message.pk for message in branch], field_name="message_id")
        shown = "".join(message_html(message, generations.get(message.pk)) for message in branch)
        before = branch[0].parent_id if branch else None
        return SafeString(_earlier(before) + shown if before else shown)


def _earlier(message: uuid.UUID) -> SafeString:
    return format_html('<p class="more"><a href="?until={}">{}</a></p>', message, _("Earlier messages"))


@admin.register(Message)
class MessageAdmin(SearchingAdmin):
    words = "content"
    list_display = ["time", "owner", "role", "status", "id"]
    list_filter = ["status", "role", "generation__end_reason", "created_at", ConversationOwnerFilter]
    list_select_related = ["conversation__owner"]
    search_fields = ["id"]  # so that there is a field to type into; see get_search_results
    search_help_text = _("An ID, or words of the text")
    ordering = ["-id"]
    fields = ["id", "conversation", "parent_id", "role", "status", "created_at", "text"]
    readonly_fields = ["parent_id", "text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).select_related("conversation__owner")

    def conversation_of(self, record: Message) -> Conversation:
        return record.conversation

    def of_key(self, key: uuid.UUID) -> Q:
        """The rows that an ID can refer to."""
        return Q(pk=key) | Q(conversation_id=key)

    @admin.display(description=with_time_zone(_("time")), ordering="created_at")
    def time(self, message: Message) -> str:
        return format_time(message.created_at)

    @admin.display(description=_("owner"))
    def owner(self, message: Message) -> str:
        return message.conversation.owner.get_username()

    @admin.display(description=_("answer to"))
    def parent_id(self, message: Message) -> str:
        return str(message.parent_id or "")

    @admin.display(description=_("text"))
    def text(self, message: Message) -> SafeString:
        return message_html(message, getattr(message, "generation", None))
