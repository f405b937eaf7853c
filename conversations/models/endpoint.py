"""Endpoint and LanguageModel: where answers come from, as administrators decide it."""

import hashlib
from collections.abc import Collection
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

KEY_LENGTH = 200

BETWEEN = "::"
"""In a key, stands between an endpoint's prefix and the provider's name of the model."""


def key_of(prefix: str, name: str) -> str:
    """What conversations, pages and frames call a model: no two endpoints share a key, whatever they list.

    An endpoint without a prefix gives its names as they are; one of those with the separator in it gets one, too, so
    that it cannot be taken for another endpoint's.
    """
    key = name if not prefix and BETWEEN not in name else f"{prefix}{BETWEEN}{name}"
    return (
        key if len(key) <= KEY_LENGTH else f"{key[: KEY_LENGTH - 17]}~{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    )


def name_in(key: str) -> str:
    """The provider's name in a key, for people."""
    return key.partition(BETWEEN)[2] or key


def check_printable(text: str) -> None:
    """Names go into the log and into requests. Raises ValidationError."""
    if not text.isprintable():
        raise ValidationError(_("Contains characters that cannot be seen."))


def check_endpoint_name(text: str) -> None:
    """Raises ValidationError."""
    if BETWEEN in text:
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
        max_length=KEY_LENGTH,
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


class ContinuesBy(models.TextChoices):
    PREFILL = "prefill", _("beginning its answer with the text so far")
    INSTRUCTION = "instruction", _("being asked to go on")


class LanguageModel(models.Model):
    """A model that people may choose. `key` is what conversations, pages and frames call it."""

    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="models")
    name = models.CharField(max_length=200, validators=[check_printable], help_text=_("As the provider calls it."))
    label = models.CharField(max_length=200, blank=True, help_text=_("As people see it; empty for the name."))
    order = models.IntegerField(_("order"), default=0)
    price_in = models.DecimalField(
        _("price in"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per million tokens of the prompt."),
    )
    price_out = models.DecimalField(
        _("price out"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per million tokens of the answer."),
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", _("Three capital letters, like USD."))],
    )
    context_window = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("Tokens of prompt and answer together; empty for what the endpoint's list or its refusals say."),
    )
    continues_by = models.CharField(
        _("continues by"), max_length=11, choices=ContinuesBy.choices, default=ContinuesBy.INSTRUCTION
    )
    system_prompt = models.TextField(_("system prompt"), blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    default = models.BooleanField(_("default"), default=False)
    groups = models.ManyToManyField(
        Group,
        blank=True,
        related_name="+",
        verbose_name=_("groups"),
        help_text=_("Who may use it; nobody chosen means everybody."),
    )

    class Meta:
        verbose_name = _("language model")
        verbose_name_plural = _("language models")
        ordering = ["order", "label", "key"]
        constraints = [
            models.UniqueConstraint(fields=["default"], condition=Q(default=True), name="language_model_one_default"),
        ]

    def __str__(self) -> str:
        return self.label or self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new default takes the place of the old one."""
        if not self.key:
            self.give_key()
        with transaction.atomic():
            if self.default:
                type(self).objects.filter(default=True).exclude(pk=self.pk).update(default=False)
            super().save(*args, **kwargs)

    def give_key(self) -> None:
        """A key for a new model. One that the same endpoint offers already, with other settings, gets a number."""
        key = key_of(self.endpoint.prefix, self.name)
        candidates = (key if number == 1 else f"{key[: KEY_LENGTH - 6]} ({number})" for number in count(1))
        self.key = next(key for key in candidates if not type(self).objects.filter(key=key).exists())

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """That there is one default is seen to by `save`, not asked of the administrator."""
        super().validate_constraints(exclude={*(exclude or ()), "default"})
