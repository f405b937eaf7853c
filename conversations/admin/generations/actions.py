"""The actions of staff on generations: watch the running ones, stop, review and export them."""

import logging
import uuid
from concurrent.futures import TimeoutError as Late
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from conversations.admin import audit
from conversations.admin.capped_changelist import MAX_COUNT
from conversations.models import Action, Generation
from conversations.rules.status import UNFINISHED, Status
from conversations.storage.db_threads import UNAVAILABLE

from . import csv_export, running

logger = logging.getLogger(__name__)


class ReviewForm(forms.Form):
    """A review's note."""

    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class GenerationActions(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """The actions of the generations' admin. Each has a permission of its own and is recorded in the audit log."""

    actions = ["mark_reviewed", "export_selected"]

    def get_urls(self) -> list[URLPattern]:
        def protected(view: Any) -> Any:
            return self.admin_site.admin_view(view)

        name = "conversations_generation_{}".format
        return [
            path("running/", protected(require_safe(self.running_view)), name=name("running")),
            path(
                "running/rows/",
                self._sign_in_first(protected(require_safe(self.running_rows))),
                name=name("running_rows"),
            ),
            path("export/", protected(require_safe(self.export_view)), name=name("export")),
            path("<uuid:pk>/review/", protected(require_POST(self.review_view)), name=name("review")),
            path("<uuid:pk>/stop/", protected(require_POST(self.stop_view)), name=name("stop")),
            *super().get_urls(),
        ]

    def has_review_permission(self, request: HttpRequest) -> bool:
        """The change permission allows reviews; nothing else of a generation can change."""
        return self.has_view_permission(request) and request.user.has_perm("conversations.change_generation")

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("conversations.stop_generation")

    # Running generations

    def running_view(self, request: HttpRequest) -> HttpResponse:
        return self._running(request, "admin/conversations/generation/running.html")

    def running_rows(self, request: HttpRequest) -> HttpResponse:
        """The rows alone, which the page polls."""
        return self._running(request, "admin/conversations/generation/_running.html")

    def _sign_in_first(self, view: Any) -> Any:
        """Redirect the whole page to the sign-in instead of loading the sign-in into a partial."""

        def inner(request: HttpRequest) -> HttpResponse:
            if self.admin_site.has_permission(request):
                response: HttpResponse = view(request)
                return response
            running = reverse("admin:conversations_generation_running")
            return HttpResponseClientRedirect(f"{reverse('admin:login')}?{urlencode({'next': running})}")

        return inner

    def _running(self, request: HttpRequest, template: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows, count = running.running_rows()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Running now"),
            "opts": Generation._meta,  # noqa: SLF001  Django's own name for it
            "rows": rows,
            "count": count,
            "at": timezone.now(),
            "may_stop": self.has_stop_permission(request),
        }
        return TemplateResponse(request, template, context)

    def stop_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Stop a generation of any process."""
        if not self.has_stop_permission(request):
            raise PermissionDenied
        generation = self._find(pk)
        if generation is None:
            return self._redirect_to_list(request, pk)
        if generation.status != Status.STREAMING:
            messages.info(
                request, _("This answer had already ended: %(status)s.") % {"status": generation.get_status_display()}
            )
            return self._redirect_back(request, pk)
        audit.record_action(request, Action.STOPPED, [generation])
        self._stop(request, generation)
        return self._redirect_back(request, pk)

    def _stop(self, request: HttpRequest, generation: Generation) -> None:
        try:
            running.stop_and_wait(generation.pk, request.user.pk or 0)
        except (Late, running.NoSupervisor, *UNAVAILABLE) as error:
            logger.warning("generation %s: not stopped: %s", generation.pk, type(error).__name__)
            messages.error(request, _("The answer could not be stopped. Try again."))
            return
        now = self._find(generation.pk)
        ended = now.get_end_reason_display() if now is not None else _("deleted")
        messages.success(request, _("The answer ended: %(reason)s.") % {"reason": ended})

    # Reviews

    def review_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if not self.has_review_permission(request):
            raise PermissionDenied
        generation = self._find(pk)
        if generation is None:
            return self._redirect_to_list(request, pk)
        form = ReviewForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(map(str, form.errors["note"])))
        elif self._review(request, Generation.objects.filter(pk=pk), form.cleaned_data["note"]):
            messages.success(request, _("Marked as reviewed."))
        else:
            messages.warning(request, _("This answer is still being written. Review it once it has ended."))
        return self._redirect_back(request, pk)

    @admin.action(description=lazy("Mark as reviewed"), permissions=["review"])
    def mark_reviewed(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        """Review the selected generations that did not finish; those already reviewed keep their review."""
        needed = queryset.filter(status__in=UNFINISHED, reviewed_at=None)
        if needed[: MAX_COUNT + 1].count() > MAX_COUNT:
            messages.error(request, _("More than %(count)d are selected. Narrow the filter.") % {"count": MAX_COUNT})
            return
        count = self._review(request, needed)
        messages.success(
            request,
            ngettext("%(count)d generation marked as reviewed.", "%(count)d generations marked as reviewed.", count)
            % {"count": count},
        )

    @transaction.atomic
    def _review(self, request: HttpRequest, generations: QuerySet[Generation], note: str = "") -> int:
        """Review these, except those still streaming. Returns how many."""
        ended = (
            Generation.objects.filter(pk__in=list(generations.values_list("pk", flat=True)))
            .exclude(status=Status.STREAMING)
            .select_related("conversation__owner")
            .select_for_update(of=("self",))
        )
        found = list(ended)
        audit.record_action(request, Action.REVIEWED, found)
        return Generation.objects.filter(pk__in=[generation.pk for generation in found]).update(
            reviewed_at=Now(), reviewed_by=request.user.pk, review_note=note
        )

    # CSV

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Export the whole filtered list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        listed = self.changelist_view(request)
        if not isinstance(listed, TemplateResponse) or not listed.context_data:
            return HttpResponseRedirect(reverse("admin:conversations_generation_changelist"))
        return self._csv(request, listed.context_data["cl"].queryset, request.GET.urlencode())

    @admin.action(description=lazy("Export selection as CSV"))
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Generation]) -> HttpResponseBase:
        everything = request.POST.get("select_across") == "1"
        return self._csv(request, queryset, request.GET.urlencode() if everything else _("a selection"))

    def _csv(self, request: HttpRequest, generations: QuerySet[Generation], which: str) -> StreamingHttpResponse:
        everything = _("all")
        audit.record_export(request, f"generations as CSV: {which or everything}")
        name = f"generations-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
        return StreamingHttpResponse(
            csv_export.csv_lines(generations),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    # What the actions share

    def _find(self, pk: uuid.UUID) -> Generation | None:
        return Generation.objects.select_related("conversation__owner").filter(pk=pk).first()

    def _redirect_to_list(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        messages.warning(request, _("This generation does not exist. It may have been deleted."))
        return HttpResponseRedirect(reverse("admin:conversations_generation_changelist"))

    def _redirect_back(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if request.POST.get("back") == "running":
            return HttpResponseRedirect(reverse("admin:conversations_generation_running"))
        return HttpResponseRedirect(reverse("admin:conversations_generation_change", args=[pk]))
