"""Endpoint: an OpenAI-compatible server that administrators chose."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

MAX_KEY_LENGTH = 200

KEY_SEPARATOR = "::"
"""Separates the endpoint's prefix from the provider's name of the model in a key."""


def check_printable(text: str) -> None:
    """Refuse invisible characters: names go into logs and requests. Raises ValidationError."""
    if not text.isprintable():
        raise ValidationError(_("Contains invisible characters."))


def check_endpoint_name(text: str) -> None:
    """Refuse names that contain the separator of model keys. Raises ValidationError."""
    if KEY_SEPARATOR in text:
        raise ValidationError(_("“::” separates endpoint and model, so it cannot be part of a name."))


class Endpoint(models.Model):
    """An OpenAI-compatible base URL. Its API key stays in the environment; only the variable's name is stored."""

    name = models.CharField(_("name"), max_length=100, unique=True, validators=[check_printable, check_endpoint_name])
    prefix = models.CharField(
        max_length=100,
        unique=True,
        editable=False,
        default="",
        help_text=_("Starts the keys of its models and never changes. Empty for the endpoint from the environment."),
    )
    base_url = models.CharField(
        _("base URL"),
        max_length=500,
        blank=True,
        help_text=_("For example https://api.openai.com/v1; empty for the built-in demo model."),
    )
    key_variable = models.CharField(
        _("API key variable"),
        max_length=100,
        blank=True,
        validators=[RegexValidator(r"\A[A-Za-z_][A-Za-z0-9_]*\Z", _("The name of an environment variable."))],
        help_text=_("Name of the environment variable that contains the API key; never the key itself."),
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
        _("offer all listed models"),
        default=False,
        help_text=_(
            "People may choose every chat model that the endpoint lists, except those disabled here. Models for "
            "embeddings, audio, images and the like are offered only if they are added here."
        ),
    )
    usual = models.CharField(
        max_length=MAX_KEY_LENGTH,
        blank=True,
        editable=False,
        default="",
        db_default="",
        help_text=_("Key of the listed model that is preselected unless an administrator chooses another."),
    )
    learnt_windows = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        editable=False,
        help_text=_("Context windows learned from the provider's errors: tokens and time, by model name."),
    )
    follows_environment = models.BooleanField(
        default=False,
        editable=False,
        help_text=_("Not changed here yet, so OPENAI_BASE_URL, OPENAI_API_KEY and CHAT_MODELS apply."),
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
        """Give a new endpoint a prefix of its own, which does not change when the endpoint is renamed."""
        if self._state.adding and not self.prefix and not self.follows_environment:
            self.prefix = self._free_prefix()
        super().save(*args, **kwargs)

    def _free_prefix(self) -> str:
        candidates = (self.name, *(f"{self.name[:90]} {number}" for number in range(2, 1000)))
        taken = set(type(self).objects.values_list("prefix", flat=True))
        return next(prefix for prefix in candidates if prefix not in taken)

    def detach_from_environment(self) -> None:
        """From now on use the values stored here instead of the environment."""
        self.follows_environment = False
        type(self).objects.filter(pk=self.pk, follows_environment=True).update(follows_environment=False)
