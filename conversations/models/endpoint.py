"""Endpoint and LanguageModel: where answers come from, as administrators decide it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

MAX_KEY_LENGTH = 200

KEY_SEPARATOR = "::"
"""In a key, stands between an endpoint's prefix and the provider's name of the model."""


def check_printable(text: str) -> None:
    """Names go into the log and into requests. Raises ValidationError."""
    if not text.isprintable():
        raise ValidationError(_("Contains characters that cannot be seen."))


def check_endpoint_name(text: str) -> None:
    """Raises ValidationError."""
    if KEY_SEPARATOR in text:
        raise ValidationError(_("“::” separates endpoint and model, so it cannot be part of a name."))


class Endpoint(models.Model):
    """An OpenAI-compatible base URL. Its key stays in the environment; here is only the name of the variable."""

    name = models.CharField(max_length=100, unique=True, validators=[check_printable, check_endpoint_name])
    prefix = models.CharField(
        max_length=100,
        unique=True,
        editable=False,
        default="",
        help_text=_("Begins the keys of its models, and never changes. Empty for the one of the environment."),
    )
    base_url = models.CharField(
        _("base URL"),
        max_length=500,
        blank=True,
        help_text=_("For example https://api.openai.com/v1; empty for the built-in demo model."),
    )
    key_variable = models.CharField(
        _("key's variable"),
        max_length=100,
        blank=True,
        validators=[RegexValidator(r"\A[A-Za-z_][A-Za-z0-9_]*\Z", _("The name of an environment variable."))],
        help_text=_("Name of the environment variable that holds the key; never the key itself."),
    )
    connect_timeout = models.FloatField(
        _("connect timeout"), null=True, blank=True, validators=[MinValueValidator(0.1)]
    )
    first_token_timeout = models.FloatField(
        _("first token timeout"), null=True, blank=True, validators=[MinValueValidator(0.1)]
    )
    silence_timeout = models.FloatField(
        _("silence timeout"), null=True, blank=True, validators=[MinValueValidator(0.1)]
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    offers_all = models.BooleanField(
        _("offers all it lists"),
        default=False,
        help_text=_(
            "People may choose every model that the endpoint lists and that chats, but those that are known here and "
            "disabled. Models for embeddings, sound, pictures and the like are offered only if they are known here."
        ),
    )
    usual = models.CharField(
        max_length=MAX_KEY_LENGTH,
        blank=True,
        editable=False,
        default="",
        db_default="",
        help_text=_("Key of the listed model that is preselected while no administrator chose another."),
    )
    learnt_windows = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        editable=False,
        help_text=_("Context windows that the provider's refusals named: tokens and time, by the provider's name."),
    )
    follows_environment = models.BooleanField(
        default=False,
        editable=False,
        help_text=_("Nobody has changed it here yet, so OPENAI_BASE_URL, OPENAI_API_KEY and CHAT_MODELS decide."),
    )

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["follows_environment"],
                condition=Q(follows_environment=True),
                name="endpoint_one_follows_environment",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new endpoint gets a prefix of its own, which stays when it is renamed."""
        if self._state.adding and not self.prefix and not self.follows_environment:
            self.prefix = self._free_prefix()
        super().save(*args, **kwargs)

    def _free_prefix(self) -> str:
        candidates = (self.name, *(f"{self.name[:90]} {number}" for number in range(2, 1000)))
        taken = set(type(self).objects.values_list("prefix", flat=True))
        return next(prefix for prefix in candidates if prefix not in taken)

    def take_over(self) -> None:
        """From now on what stands here counts, and no longer the environment."""
        self.follows_environment = False
        type(self).objects.filter(pk=self.pk, follows_environment=True).update(follows_environment=False)
