"""Endpoints and models in the administration: where answers come from, and who may choose what."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from chatapp.environment import is_web_address
from conversations import connection_test, endpoints
from conversations.catalogue import catalogue
from conversations.models import Action, Endpoint, LanguageModel

from . import audit


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes no argument at run time
    """An endpoint that this server can use: its key is there, and stands nowhere in what is stored."""

    def clean_base_url(self) -> str:
        address = str(self.cleaned_data["base_url"]).strip().rstrip("/")
        if address and ("@" in address or not is_web_address(address)):
            raise ValidationError(
                gettext("An address that begins with http:// or https://, without user, password or query.")
            )
        return address

    def clean_key_variable(self) -> str:
        variable = str(self.cleaned_data["key_variable"])
        if variable and not endpoints.may_hold_a_key(variable):
            raise ValidationError(
                gettext("%(name)s may not be sent to an endpoint: the name of a key's variable contains KEY or TOKEN.")
                % {"name": variable}
            )
        if variable and not endpoints.key_in(variable):
            raise ValidationError(connection_test.missing_variable(variable))
        return variable


class ModelsInline(admin.TabularInline):  # type: ignore[type-arg]
    model = LanguageModel
    fields = ["name", "label", "order", "enabled"]
    extra = 0
    show_change_link = True


@admin.register(Endpoint)
class EndpointAdmin(audit.RecordedAdmin):
    """Saving one ends its following of the environment."""

    form = EndpointForm
    change_form_template = "admin/conversations/endpoint/change_form.html"
    list_display = ["name", "base_url", "key", "models", "offers_all", "enabled"]
    inlines = [ModelsInline]
    fieldsets = [
        (None, {"fields": ["name", "base_url", "key_variable", "enabled", "offers_all"]}),
        (
            gettext_lazy("Timeouts"),
            {
                "fields": ["connect_timeout", "first_token_timeout", "silence_timeout"],
                "description": gettext_lazy("Seconds; empty for the server's own settings."),
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Endpoint] = super().get_queryset(request)
        return found.annotate(model_count=Count("models"))

    @admin.display(description=gettext_lazy("key"))
    def key(self, endpoint: Endpoint) -> str:
        if not endpoint.key_variable:
            return gettext("none")
        if endpoints.key_in(endpoint.key_variable):
            return endpoint.key_variable
        return gettext("%(name)s is not set") % {"name": endpoint.key_variable}

    @admin.display(description=gettext_lazy("models"), ordering="model_count")
    def models(self, endpoint: Any) -> int:
        return int(endpoint.model_count)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        obj.follows_environment = False
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for each in formset.forms:
            if isinstance(each.instance, LanguageModel) and not each.instance.key:
                give_key(each.instance)
        super().save_formset(request, form, formset, change)

    # --- the connection ----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<path:object_id>/test/", self.admin_site.admin_view(self.test), name="endpoint-test"),
            path("<path:object_id>/models/", self.admin_site.admin_view(self.add_models), name="endpoint-models"),
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_POST)
    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the endpoint for its models, and show them or what is wrong."""
        endpoint = self._editable(request, object_id)
        audit.administered(request, Action.TESTED, endpoint)
        result = connection_test.run(endpoints.of_row(endpoint))
        known = set(endpoint.models.values_list("name", flat=True))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Connection to %(name)s") % {"name": endpoint},
            "opts": self.opts,
            "endpoint": endpoint,
            "result": result,
            "models": [(name, name in known) for name in result.names],
            "may_add": request.user.has_perm("conversations.add_languagemodel"),
        }
        return render(request, "admin/conversations/endpoint/test.html", context)

    @method_decorator(require_POST)
    def add_models(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the chosen ones of the listed models known here."""
        endpoint = self._editable(request, object_id)
        if not request.user.has_perm("conversations.add_languagemodel"):
            raise PermissionDenied
        known = set(endpoint.models.values_list("name", flat=True))
        chosen = [name for name in dict.fromkeys(request.POST.getlist("name")) if name and name not in known]
        with transaction.atomic():
            for name in chosen:
                model = LanguageModel(endpoint=endpoint, name=name[:200])
                give_key(model)
                model.save()
                self.log_addition(request, model, [{"added": {}}])
            if chosen:
                endpoint.take_over()
        added = ngettext("%(count)d model was added.", "%(count)d models were added.", len(chosen))
        messages.success(request, added % {"count": len(chosen)})
        return redirect(reverse("admin:conversations_endpoint_change", args=[endpoint.pk]))

    def _editable(self, request: HttpRequest, object_id: str) -> Endpoint:
        endpoint: Endpoint | None = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        if endpoint is None:
            raise Http404
        return endpoint


def give_key(model: LanguageModel) -> None:
    """A key that no other endpoint's model goes by, not even one that is only listed there."""
    model.give_key(catalogue.keys_of_others(str(model.endpoint)))


@admin.register(LanguageModel)
class LanguageModelAdmin(audit.RecordedAdmin):
    """Changing a model ends its endpoint's following of the environment."""

    list_display = ["__str__", "endpoint", "prices", "order", "enabled", "default"]
    list_editable = ["order", "enabled"]
    list_filter = ["endpoint", "enabled"]
    list_select_related = ["endpoint"]
    search_fields = ["label", "name", "key"]
    filter_horizontal = ["groups"]
    readonly_fields = ["key"]
    fieldsets = [
        (None, {"fields": ["endpoint", "name", "label", "key", "enabled", "default", "order", "groups"]}),
        (gettext_lazy("Prices"), {"fields": ["price_in", "price_out", "currency"]}),
        (gettext_lazy("Answers"), {"fields": ["context_window", "continues_by", "system_prompt"]}),
    ]

    @admin.display(description=gettext_lazy("price in / out"), ordering="price_out")
    def prices(self, model: LanguageModel) -> str:
        known = [price for price in (model.price_in, model.price_out) if price is not None]
        return f"{' / '.join(f'{price.normalize():f}' for price in known)} {model.currency}" if known else ""

    def save_model(self, request: HttpRequest, obj: LanguageModel, form: Any, change: bool) -> None:
        if not obj.key:
            give_key(obj)
        super().save_model(request, obj, form, change)
        obj.endpoint.take_over()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        assert isinstance(obj, LanguageModel)
        super().delete_model(request, obj)
        obj.endpoint.take_over()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LanguageModel]) -> None:
        touched = list(Endpoint.objects.filter(models__in=queryset).distinct())
        super().delete_queryset(request, queryset)
        for endpoint in touched:
            endpoint.take_over()
