"""Generations in the administration: what was asked, what was written, how each run ended."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.models import Generation

from .base import ReadOnlyAdmin, answer


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
        return answer(generation.message, generation)

    @admin.display(description=_("first token (ms)"))
    def first_token(self, generation: Generation) -> int | None:
        return _milliseconds(generation.requested_at, generation.first_token_at)

    @admin.display(description=_("stop to closed upstream (ms)"))
    def stop_to_closed(self, generation: Generation) -> int | None:
        return _milliseconds(generation.stop_requested_at, generation.upstream_closed_at)


def _milliseconds(begin: Any, end: Any) -> int | None:
    return None if begin is None or end is None else round((end - begin).total_seconds() * 1000)
