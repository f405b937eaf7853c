"""Presence: somebody is viewing an answer through another process."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.rules.status import EndReason

from .generation import Generation


class Presence(models.Model):
    """Somebody views a generation through another process than its owner.

    `holder` is the process whose socket shows it, or `page:<nonce>` for a page that was served and has yet to connect.
    """

    pk = models.CompositePrimaryKey("generation_id", "holder")
    generation = models.ForeignKey(Generation, models.CASCADE, related_name="presences")
    holder = models.CharField(max_length=80)
    until = models.DateTimeField()
    cause = models.CharField(max_length=24, default=EndReason.LEFT, help_text=_("Why it ended, once it has."))

    def __str__(self) -> str:
        return f"{self.holder} for {self.generation_id}"
