"""The list and the detail page of generations."""

import uuid
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.admin.audit import TextAdmin, record_search
from conversations.admin.base import may_read_text
from conversations.admin.display import format_time, with_time_zone
from conversations.admin.filters import PersonFilter
from conversations.models import Conversation, Generation, UsageSource
from conversations.models.conversation import parse_id
from conversations.models.generation import FIRST_TOKEN, STOP_TO_CLOSED

from .actions import GenerationActions
from .changelist import GenerationList
from .excerpt import turns
from .filters import REASONS_TO_REVIEW, PeriodFilter, ReasonFilter, RecentValuesFilter, ReviewFilter
from .replacements import replacements
from .share_written import shares
from .summary_mixin import SummaryMixin
from .timeline import milliseconds, steps

EMPTY = "–"

MAX_MATCHES = 1000
"""People, or titles, whose generations a search finds."""


@admin.register(Generation)
class GenerationAdmin(SummaryMixin, GenerationActions, TextAdmin):
    list_display = [
        "when",
        "requested_by",
        "model",
        "status",
        "reason",
        "first_token",
        "stop_to_closed",
        "tokens",
        "price",
        "share",
        "reviewed",
    ]
    list_filter = [
        ReviewFilter,
        "status",
        ("end_reason", ReasonFilter),
        PersonFilter,
        PeriodFilter,
        ("model", RecentValuesFilter),
        ("endpoint", RecentValuesFilter),
        "kind",
    ]
    change_form_template = "admin/conversations/generation/change_form.html"
    list_per_page = 50
    empty_value_display = EMPTY
    list_select_related = ["requested_by"]
    search_fields = ["id"]  # so that there is a field to type into; see get_search_results
    lookups = ["requested_by__id__exact", "requested_at__gte", "requested_at__lt"]
    search_help_text = _("A person, an ID, or words of a conversation's title")
    ordering = ["-requested_at"]
    fieldsets = [
        (_("End"), {"fields": ["status", "end_reason", "stopped", "error_code", "detail", "retry_after"]}),
        (_("Generation"), {"fields": ["requested_by", "kind", "model", "endpoint", "owner", "id"]}),
        (
            _("Size"),
            {"fields": ["characters", "share", "tokens", "thought_tokens", "usage_source", "price", "turns_dropped"]},
        ),
    ]
    readonly_fields = ["stopped", "share", "tokens", "price"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Hide the sidebar, so that the columns fit."""
        context = {"title": _("Generations"), "is_nav_sidebar_enabled": False, **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[GenerationList]:
        return GenerationList

    def conversation_of(self, record: Generation) -> Conversation:
        return record.conversation

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by ID, by person, or by title for staff who may read it.

        People and titles are looked up first: joined to a million generations they would take seconds.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        key = parse_id(term)
        if key is not None:
            return queryset.filter(Q(pk=key) | Q(conversation_id=key) | Q(message_id=key)), False
        return queryset.filter(self._named(request, term)), False

    def _named(self, request: HttpRequest, term: str) -> Q:
        people = get_user_model().objects
        found = Q(requested_by_id__in=_keys(people.filter(username__icontains=term)))
        if may_read_text(request):
            record_search(request, "generation", term)
            found |= Q(conversation_id__in=_keys(Conversation.objects.filter(title__icontains=term)))
        return found

    # One generation

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        generation: Generation = kwargs["obj"]
        generation.share = shares([generation]).get(generation.pk)  # type: ignore[attr-defined]  # as in the list
        context |= {
            "subtitle": None,
            "generation": generation,
            "steps": steps(generation),
            "replacements": replacements(generation),
            "reads_text": may_read_text(request),
            "may_stop": self.has_stop_permission(request),
            "may_review": self.has_review_permission(request),
            "needs_review": generation.end_reason in REASONS_TO_REVIEW,
        }
        response = super().render_change_form(request, context, *args, **kwargs)
        if may_read_text(request):  # recorded by now
            shown, before, after = turns(generation.message)
            response.context_data |= {"turns": shown, "others_before": before, "others_after": after}
        return response

    @admin.display(description=_("stopped by"))
    def stopped(self, generation: Generation) -> str:
        """Who stopped it, and from where."""
        if not generation.stop_origin:
            return EMPTY
        if generation.stopped_by is None:
            return str(generation.get_stop_origin_display())
        return f"{generation.stopped_by.get_username()} ({generation.get_stop_origin_display()})"

    # Columns

    @admin.display(description=with_time_zone(_("when")), ordering="requested_at")
    def when(self, generation: Generation) -> str:
        return format_time(generation.requested_at)

    @admin.display(description=_("reason"), ordering="end_reason")
    def reason(self, generation: Generation) -> str:
        return generation.get_end_reason_display() or EMPTY

    @admin.display(description=_("first token (ms)"), ordering=FIRST_TOKEN)
    def first_token(self, generation: Generation) -> int | None:
        return milliseconds(generation.requested_at, generation.first_token_at)

    @admin.display(description=_("stop to closed (ms)"), ordering=STOP_TO_CLOSED)
    def stop_to_closed(self, generation: Generation) -> int | None:
        return milliseconds(generation.stop_requested_at, generation.upstream_closed_at)

    @admin.display(description=_("tokens in / out"), ordering="tokens_out")
    def tokens(self, generation: Generation) -> str:
        if generation.tokens_out is None:
            return EMPTY
        about = "≈ " if generation.usage_source == UsageSource.ESTIMATED else ""
        tokens_in = EMPTY if generation.tokens_in is None else generation.tokens_in
        return f"{about}{tokens_in} / {generation.tokens_out}"

    @admin.display(description=_("cost"), ordering="cost")
    def price(self, generation: Generation) -> str:
        if generation.cost is None:
            return EMPTY
        about = "≈ " if generation.usage_source == UsageSource.ESTIMATED else ""
        return f"{about}{generation.cost.normalize():f} {generation.currency}".strip()

    @admin.display(description=_("share written"), ordering="characters")
    def share(self, generation: Generation) -> str | SafeString:
        share = getattr(generation, "share", None)
        return EMPTY if share is None else format_html('<span title="{}">{}</span>', share.source, share)

    @admin.display(description=_("review"), ordering="reviewed_at")
    def reviewed(self, generation: Generation) -> Any:
        if generation.reviewed_at is not None:
            return _("reviewed")
        return _("needed") if generation.end_reason in REASONS_TO_REVIEW else EMPTY


def _keys(found: QuerySet[Any]) -> list[uuid.UUID | int]:
    return list(found.values_list("pk", flat=True)[:MAX_MATCHES])
