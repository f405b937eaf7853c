"""AuditEntry: who of the staff read or touched somebody's conversation. Triggers in the database keep it as written."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    READ = "read", _("read")
    EXPORTED = "exported", _("exported")
    STOPPED = "stopped", _("stopped")
    REVIEWED = "reviewed", _("reviewed")


class AuditEntry(models.Model):
    """Names and ids are kept as text, so that an entry outlives the rows that it tells of."""

    at = models.DateTimeField(db_default=Now())
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, related_name="+")
    staff_name = models.CharField(max_length=150)
    action = models.CharField(max_length=8, choices=Action.choices)
    what = models.CharField(max_length=200, help_text=_("What was read: a page of the administration, and its row."))
    conversation_id = models.UUIDField(null=True)
    owner_name = models.CharField(max_length=150, blank=True, help_text=_("Whose conversation it is."))

    class Meta:
        verbose_name_plural = _("audit entries")
        indexes = [models.Index(fields=["-at"], name="audit_newest_first")]

    def __str__(self) -> str:
        return f"{self.staff_name} {self.action} {self.what}"
