"""The audit log: who of the staff read or touched what of somebody. Written before a page is shown."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from conversations.models import Action, AuditEntry, Conversation, Generation
from conversations.telemetry.security_log import log_event

from .base import ReadOnlyAdmin, in_zone, moment, reads_text


def read(request: HttpRequest, what: str, conversation: Conversation) -> None:
    """Somebody of the staff is about to see text of this conversation. What is one's own is nobody else's business.

    Raises django.db.Error; then the text must not be shown.
    """
    if conversation.owner_id != request.user.pk:
        _entry(request, Action.READ, what, conversation).save(force_insert=True)


def searched(request: HttpRequest, where: str, words: str) -> None:
    """Somebody of the staff is about to see which texts have these words. Raises django.db.Error; then nothing is
    found."""
    _entry(request, Action.SEARCHED, f"{where}: {words}", None).save(force_insert=True)


def exported(request: HttpRequest, what: str) -> None:
    _entry(request, Action.EXPORTED, what, None).save(force_insert=True)


def touched(request: HttpRequest, action: Action, generations: Iterable[Generation]) -> None:
    """Something was done to these runs, whoever they belong to."""
    AuditEntry.objects.bulk_create(
        [_entry(request, action, what(generation), generation.conversation) for generation in generations],
        batch_size=1000,
    )


def administered(request: HttpRequest, action: Action, record: Any, fields: str = "") -> None:
    """Somebody of the staff changed an account, a group or where answers come from; `fields`: which, never their
    values. Raises django.db.Error."""
    person = record.get_username() if isinstance(record, User) else ""
    named = what(record) if person else f"{what(record)} {record}"
    entry = _entry(request, action, f"{named}: {fields}" if fields else named, None)
    entry.owner_name = person
    entry.save(force_insert=True)
    log_event("administered", action=str(action), what=what(record), fields=fields, staff=request.user.pk)


def what(record: Any) -> str:
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


class RecordedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """Whatever is added, changed or deleted here has an entry in the audit log, beside Django's own."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        administered(request, Action.ADDED, obj, _fields(message))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message:
            administered(request, Action.CHANGED, obj, _fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for each in queryset:
            administered(request, Action.DELETED, each)
        return super().log_deletions(request, queryset)


def _fields(message: Any) -> str:
    """Names of the fields in Django's note of what a form changed, and of the rows below it."""
    if isinstance(message, str):
        return message
    named: list[str] = []
    for verb, more in (item for part in message for item in part.items()):
        fields = [str(field) for field in more.get("fields", ())]
        named += [f"{verb} {more['name']} {more['object']}", *fields] if "object" in more else fields
    return ", ".join(named)


class ReadingAdmin(ReadOnlyAdmin):
    """Its detail page shows text, so opening one is written down first."""

    def conversation_of(self, record: Any) -> Conversation:
        """Whose text the page of `record` shows."""
        raise NotImplementedError

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Every way to a detail page comes through here, before anything of it is rendered."""
        record = kwargs.get("obj")
        if record is not None and reads_text(request):
            read(request, what(record), self.conversation_of(record))
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["time", "staff_name", "action", "what", "owner_name"]
    list_filter = ["action", "at"]
    search_fields = ["staff_name", "owner_name", "what"]
    search_help_text = _("Name of staff, name of an owner, or what was read")
    ordering = ["-at", "-id"]
    fields = ["at", "staff_name", "staff_id", "action", "what", "conversation_id", "owner_name"]
    readonly_fields = ["staff_id"]

    @admin.display(description=in_zone(_("time")), ordering="at")
    def time(self, entry: AuditEntry) -> str:
        return moment(entry.at)

    @admin.display(description=_("staff id"))
    def staff_id(self, entry: AuditEntry) -> int:
        """Without a link: the account may be gone, and the entry stays."""
        return entry.staff_id

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Audit log"), **(extra_context or {})})
