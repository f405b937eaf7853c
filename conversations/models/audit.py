"""AuditEntry: which member of staff read or changed what. Database triggers make entries immutable."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    READ = "read", _("read")
    EXPORTED = "exported", _("exported")
    STOPPED = "stopped", _("stopped")
    REVIEWED = "reviewed", _("reviewed")
    SEARCHED = "searched", _("searched")
    ADDED = "added", _("added")
    CHANGED = "changed", _("changed")
    DELETED = "deleted", _("deleted")
    TESTED = "tested", _("tested")


class AuditEntry(models.Model):
    """One entry. Names and ids are stored without foreign keys, so an entry outlives the rows that it names."""

    at = models.DateTimeField(_("time"), db_default=Now())
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, related_name="+")
    staff_name = models.CharField(_("staff"), max_length=150)
    action = models.CharField(_("action"), max_length=8, choices=Action.choices)
    what = models.CharField(
        _("what"), max_length=200, help_text=_("An admin page and its row, or the terms of a search.")
    )
    conversation_id = models.UUIDField(_("conversation"), null=True)
    owner_name = models.CharField(
        _("person"), max_length=150, blank=True, help_text=_("Owner of the conversation or account.")
    )

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [models.Index(fields=["-at"], name="audit_newest_first")]

    def __str__(self) -> str:
        return f"{self.staff_name} {self.action} {self.what}"
