"""Preferences: a person's settings."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class WhenLeaving(models.TextChoices):
    STOP = "stop", _("stop")
    WAIT = "wait", _("wait a minute")
    FINISH = "finish", _("finish in the background")


class Theme(models.TextChoices):
    SYSTEM = "system", _("like the system")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class Preferences(models.Model):
    """A person's settings. Without a row, the defaults apply."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="preferences")
    when_leaving = models.CharField(max_length=6, choices=WhenLeaving.choices, default=WhenLeaving.STOP)
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    enter_sends = models.BooleanField(default=True)
    default_model = models.CharField(max_length=200, blank=True, help_text=_("Key of a model."))
    last_model = models.CharField(
        max_length=200,
        blank=True,
        editable=False,
        default="",
        db_default="",
        help_text=_("Key of the last chosen model."),
    )
    language = models.CharField(max_length=10, blank=True, help_text=_("Empty for the browser's language."))

    class Meta:
        verbose_name = verbose_name_plural = _("preferences")

    def __str__(self) -> str:
        return str(self.user)
