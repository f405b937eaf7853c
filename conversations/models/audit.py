"""AuditEntry: who of the staff read or touched what of somebody. Triggers in the database keep it as written."""

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
    """Names and ids are kept as text, so that an entry outlives the rows that it tells of."""

    at = models.DateTimeField(_("time"), db_default=Now())
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, related_name="+")
    staff_name = models.CharField(_("staff"), max_length=150)
    action = models.CharField(_("action"), max_length=8, choices=Action.choices)
    what = models.CharField(
        _("what"), max_length=200, help_text=_("A page of the administration and its row, or the words of a search.")
    )
    conversation_id = models.UUIDField(_("conversation"), null=True)
    owner_name = models.CharField(
        _("person"), max_length=150, blank=True, help_text=_("Whose conversation or account it is.")
    )

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [models.Index(fields=["-at"], name="audit_newest_first")]

    def __str__(self) -> str:
        return f"{self.staff_name} {self.action} {self.what}"
