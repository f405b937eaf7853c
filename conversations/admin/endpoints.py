"""Endpoints in the admin, with a connection test that can add models."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy, ngettext

from conversations.models import Action, Endpoint, LanguageModel
from conversations.providers import endpoint_check, endpoints, model_list
from conversations.providers.catalog.model_catalog import catalog

from . import audit
from .endpoint_form import EndpointForm


class ModelsInline(admin.TabularInline):  # type: ignore[type-arg]
    model = LanguageModel
    fields = ["name", "label", "order", "enabled"]
    extra = 0
    show_change_link = True


@admin.register(Endpoint)
class EndpointAdmin(audit.AuditedAdmin):
    """Saving an endpoint detaches it from the environment."""

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
        """How many models people may choose; and how many are added here, if that differs."""
        offered, known = catalog.offered_by(endpoint.pk), int(endpoint.model_count)
        if not (known or endpoint.offers_all):
            return gettext("none (offers nothing)")
        return str(offered) if offered == known else gettext("%(offered)d offered, %(known)d added here") % {
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
                    "%(name)s offers no model yet. Test the connection and add some of the listed models, or tick "
                    "“Offer all listed models”."
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
        """Request the endpoint's models and one token, and show the result. Costs a request, so it needs a POST; a GET
        redirects to the endpoint."""
        endpoint = self._editable(request, object_id)
        if request.method != "POST":
            return _to(endpoint)
        audit.record_change(request, Action.TESTED, endpoint)
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
        """Add the chosen models of the list."""
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
                endpoint.detach_from_environment()
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
