"""The audit log: which member of staff read or changed what. Entries are written before a page is shown."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from conversations.models import Action, AuditEntry, Conversation, Generation
from conversations.telemetry.security_log import log_event

from .base import ReadOnlyAdmin, may_read_text
from .display import format_time, with_time_zone


def record_read(request: HttpRequest, what: str, conversation: Conversation) -> None:
    """Record that staff are about to read this conversation; reading one's own is not recorded.

    Raises django.db.Error; then the text must not be shown.
    """
    if conversation.owner_id != request.user.pk:
        _entry(request, Action.READ, what, conversation).save(force_insert=True)


def record_search(request: HttpRequest, where: str, words: str) -> None:
    """Record that staff are about to search texts for these words. Raises django.db.Error; then search nothing."""
    _entry(request, Action.SEARCHED, f"{where}: {words}", None).save(force_insert=True)


def record_export(request: HttpRequest, what: str) -> None:
    """Record that staff are about to export `what`. Raises django.db.Error; then export nothing."""
    _entry(request, Action.EXPORTED, what, None).save(force_insert=True)


def record_action(request: HttpRequest, action: Action, generations: Iterable[Generation]) -> None:
    """Record an action on each of these generations. Raises django.db.Error."""
    AuditEntry.objects.bulk_create(
        [_entry(request, action, row_name(generation), generation.conversation) for generation in generations],
        batch_size=1000,
    )


def record_change(request: HttpRequest, action: Action, record: Any, fields: str = "") -> None:
    """Record a change to an account, a group, an endpoint or a model. Raises django.db.Error.

    `fields` names the changed fields, never their values.
    """
    person = record.get_username() if isinstance(record, User) else ""
    named = row_name(record) if person else f"{row_name(record)} {record}"
    entry = _entry(request, action, f"{named}: {fields}" if fields else named, None)
    entry.owner_name = person
    entry.save(force_insert=True)
    log_event("administered", action=str(action), what=row_name(record), fields=fields, staff=request.user.pk)


def row_name(record: Any) -> str:
    """How an entry names a row."""
    return f"{type(record).__name__.lower()} {record.pk}"


def _entry(request: HttpRequest, action: Action, what: str, conversation: Conversation | None) -> AuditEntry:
    return AuditEntry(
        staff_id=request.user.pk or 0,
        staff_name=request.user.get_username(),
        action=action,
        what=what[:200],
        conversation_id=conversation.pk if conversation else None,
        owner_name=conversation.owner.get_username() if conversation else "",
    )


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """Records additions, changes and deletions in the audit log as well as in Django's own."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record_change(request, Action.ADDED, obj, _field_names(message))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message:
            record_change(request, Action.CHANGED, obj, _field_names(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for each in queryset:
            record_change(request, Action.DELETED, each)
        return super().log_deletions(request, queryset)


def _field_names(message: Any) -> str:
    """Names of the changed fields in Django's change message, including those of inline rows."""
    if isinstance(message, str):
        return message
    named: list[str] = []
    for verb, more in (item for part in message for item in part.items()):
        fields = [str(field) for field in more.get("fields", ())]
        named += [f"{verb} {more['name']} {more['object']}", *fields] if "object" in more else fields
    return ", ".join(named)


class TextAdmin(ReadOnlyAdmin):
    """Its detail page shows text, so opening one is recorded first."""

    def conversation_of(self, record: Any) -> Conversation:
        """The conversation whose text the page of `record` shows."""
        raise NotImplementedError

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Every detail page passes through here before any of it is rendered."""
        record = kwargs.get("obj")
        if record is not None and may_read_text(request):
            record_read(request, row_name(record), self.conversation_of(record))
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["time", "staff_name", "action", "what", "owner_name"]
    list_filter = ["action", "at"]
    search_fields = ["staff_name", "owner_name", "what"]
    search_help_text = _("Name of staff or of a person, or what was read")
    ordering = ["-at", "-id"]
    fields = ["at", "staff_name", "staff_id", "action", "what", "conversation_id", "owner_name"]
    readonly_fields = ["staff_id"]

    @admin.display(description=with_time_zone(_("time")), ordering="at")
    def time(self, entry: AuditEntry) -> str:
        return format_time(entry.at)

    @admin.display(description=_("staff ID"))
    def staff_id(self, entry: AuditEntry) -> int:
        """Not a link: the account may be gone, while the entry stays."""
        return entry.staff_id

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Audit log"), **(extra_context or {})})
