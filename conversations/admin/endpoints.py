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
from django.utils.translation import gettext, gettext_lazy, ngettext

from conversations.models import Action, Endpoint, LanguageModel
from conversations.providers import endpoint_check, endpoints, model_list
from conversations.providers.catalog.model_catalog import catalog
from conversations.rules.endpoint_url import is_endpoint_url

from . import audit


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes no argument at run time
    """An endpoint that this server can use: its key is there, and stands nowhere in what is stored."""

    def clean_base_url(self) -> str:
        address = str(self.cleaned_data["base_url"]).strip().rstrip("/")
        if address and ("@" in address or not is_endpoint_url(address)):
            raise ValidationError(
                gettext("An address that begins with http:// or https://, without user, password or query.")
            )
        return address

    def clean(self) -> dict[str, Any] | None:
        """Which key may be sent depends on where."""
        cleaned = super().clean()
        variable, address = self.cleaned_data.get("key_variable", ""), self.cleaned_data.get("base_url")
        if variable and address is not None and (wrong := _wrong_key(variable, address)):
            self.add_error("key_variable", wrong)
        return cleaned


def _wrong_key(variable: str, address: str) -> str:
    """Why this variable cannot be an endpoint's key; "" if it can."""
    if not endpoints.may_be_sent(variable, address):
        return gettext(
            "%(name)s may not be sent to this address. Whoever runs the server can allow it in CHAT_PROVIDER_KEYS; "
            "while that is not set, names that begin with CHAT_KEY_ are allowed."
        ) % {"name": variable}
    return "" if endpoints.key_in(variable, address) else endpoint_check.missing_variable(variable)


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
        if endpoints.key_in(endpoint.key_variable, endpoint.base_url):
            return endpoint.key_variable
        if not endpoints.may_be_sent(endpoint.key_variable, endpoint.base_url):
            return gettext("%(name)s may not be sent there") % {"name": endpoint.key_variable}
        return gettext("%(name)s is not set") % {"name": endpoint.key_variable}

    @admin.display(description=gettext_lazy("models"), ordering="model_count")
    def models(self, endpoint: Any) -> str:
        """How many people may choose now; and of those that are known here, where that differs."""
        offered, known = catalog.offered_by(endpoint.pk), int(endpoint.model_count)
        if not (known or endpoint.offers_all):
            return gettext("none: it offers nothing")
        return str(offered) if offered == known else gettext("%(offered)d offered, %(known)d known here") % {
            "offered": offered, "known": known
        }  # fmt: skip

    def response_add(self, request: HttpRequest, obj: Endpoint, post_url_continue: str | None = None) -> HttpResponse:
        self._warn(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Endpoint) -> HttpResponse:
        self._warn(request, obj)
        return super().response_change(request, obj)

    def _warn(self, request: HttpRequest, endpoint: Endpoint) -> None:
        if endpoint.enabled and not endpoint.offers_all and not endpoint.models.filter(enabled=True).exists():
            messages.warning(
                request,
                gettext(
                    "%(name)s offers no model yet. Test the connection and add some of the models that it lists, or "
                    "tick “offers all it lists”."
                )
                % {"name": endpoint},
            )

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        obj.follows_environment = False
        super().save_model(request, obj, form, change)

    # --- the connection ----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<path:object_id>/test/", self.admin_site.admin_view(self.test), name="endpoint-test"),
            path("<path:object_id>/models/", self.admin_site.admin_view(self.add_models), name="endpoint-models"),
        ]
        return [*own, *super().get_urls()]

    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the endpoint for its models and for a token, and show what came or what is wrong. It costs a request, so
        it takes the button; the address alone leads to the endpoint."""
        endpoint = self._editable(request, object_id)
        if request.method != "POST":
            return _to(endpoint)
        audit.administered(request, Action.TESTED, endpoint)
        known = endpoint.models.order_by("-enabled", "-default", "order", "pk").values_list("name", flat=True)
        result = endpoint_check.check(endpoints.from_row(endpoint), list(known))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Connection to %(name)s") % {"name": endpoint},
            "opts": self.opts,
            "endpoint": endpoint,
            "result": result,
            "models": [(model, model.name in set(known)) for model in result.models],
            "may_add": request.user.has_perm("conversations.add_languagemodel"),
        }
        return render(request, "admin/conversations/endpoint/test.html", context)

    def add_models(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the chosen ones of the listed models known here."""
        endpoint = self._editable(request, object_id)
        if request.method != "POST":
            return _to(endpoint)
        if not request.user.has_perm("conversations.add_languagemodel"):
            raise PermissionDenied
        known = set(endpoint.models.values_list("name", flat=True))
        named = dict.fromkeys(request.POST.getlist("name"))
        chosen = [name for name in named if model_list.is_usable_name(name) and name not in known]
        with transaction.atomic():
            for name in chosen:
                model = LanguageModel(endpoint=endpoint, name=name)
                model.save()
                self.log_addition(request, model, [{"added": {}}])
            if chosen:
                endpoint.take_over()
        added = ngettext("%(count)d model was added.", "%(count)d models were added.", len(chosen))
        messages.success(request, added % {"count": len(chosen)})
        return _to(endpoint)

    def _editable(self, request: HttpRequest, object_id: str) -> Endpoint:
        endpoint: Endpoint | None = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        if endpoint is None:
            raise Http404
        return endpoint


def _to(endpoint: Endpoint) -> HttpResponse:
    return redirect(reverse("admin:conversations_endpoint_change", args=[endpoint.pk]))


@admin.register(LanguageModel)
class LanguageModelAdmin(audit.RecordedAdmin):
    """Changing a model ends its endpoint's following of the environment."""

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
        """A model stays with its endpoint: conversations that go on with it send their history there."""
        return ["key", "endpoint"] if obj is not None else ["key"]

    @admin.display(description=gettext_lazy("price in / out"), ordering="price_out")
    def prices(self, model: LanguageModel) -> str:
        known = [price for price in (model.price_in, model.price_out) if price is not None]
        return f"{' / '.join(f'{price.normalize():f}' for price in known)} {model.currency}" if known else ""

    def save_model(self, request: HttpRequest, obj: LanguageModel, form: Any, change: bool) -> None:
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
