"""Models in the admin: prices, limits and who may choose them."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from conversations.models import Endpoint, LanguageModel

from . import audit


@admin.register(LanguageModel)
class LanguageModelAdmin(audit.AuditedAdmin):
    """Changing a model detaches its endpoint from the environment."""

    list_display = ["__str__", "endpoint", "prices", "order", "enabled", "default"]
    list_editable = ["order", "enabled"]
    list_filter = ["endpoint", "enabled"]
    list_select_related = ["endpoint"]
    search_fields = ["label", "name", "key"]
    filter_horizontal = ["groups"]
    fieldsets = [
        (None, {"fields": ["endpoint", "name", "label", "key", "enabled", "default", "order", "groups"]}),
        (gettext_lazy("Prices"), {"fields": ["price_in", "price_out", "currency"]}),
        (gettext_lazy("Answers"), {"fields": ["context_window", "continues_by", "system_prompt"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: LanguageModel | None = None) -> list[str]:
        """A model cannot move to another endpoint: conversations that continue with it send their history there."""
        return ["key", "endpoint"] if obj is not None else ["key"]

    @admin.display(description=gettext_lazy("price in / out"), ordering="price_out")
    def prices(self, model: LanguageModel) -> str:
        known = [price for price in (model.price_in, model.price_out) if price is not None]
        return f"{' / '.join(f'{price.normalize():f}' for price in known)} {model.currency}" if known else ""

    def save_model(self, request: HttpRequest, obj: LanguageModel, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        obj.endpoint.detach_from_environment()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        assert isinstance(obj, LanguageModel)
        super().delete_model(request, obj)
        obj.endpoint.detach_from_environment()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LanguageModel]) -> None:
        touched = list(Endpoint.objects.filter(models__in=queryset).distinct())
        super().delete_queryset(request, queryset)
        for endpoint in touched:
            endpoint.detach_from_environment()
