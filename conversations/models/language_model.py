"""LanguageModel: a model that people may choose."""

import hashlib
from collections.abc import Collection
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .endpoint import KEY_SEPARATOR, MAX_KEY_LENGTH, Endpoint, check_printable


def model_key(prefix: str, name: str) -> str:
    """The key of a model in conversations, pages and frames. No two endpoints share a key, whatever they list.

    An endpoint without a prefix uses the name as it is. A name that contains the separator gets one in front, so that
    it cannot pass for another endpoint's key.
    """
    key = name if not prefix and KEY_SEPARATOR not in name else f"{prefix}{KEY_SEPARATOR}{name}"
    return (
        key
        if len(key) <= MAX_KEY_LENGTH
        else f"{key[: MAX_KEY_LENGTH - 17]}~{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    )


def model_name(key: str) -> str:
    """The provider's name of the model with this key, for people."""
    return key.partition(KEY_SEPARATOR)[2] or key


class ContinuesBy(models.TextChoices):
    PREFILL = "prefill", _("prefilling the answer with the text so far")
    INSTRUCTION = "instruction", _("asking it to continue")


class LanguageModel(models.Model):
    """A model that people may choose. `key` identifies it in conversations, pages and frames."""

    key = models.CharField(_("key"), max_length=MAX_KEY_LENGTH, unique=True)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="models", verbose_name=_("endpoint"))
    name = models.CharField(
        _("name"), max_length=200, validators=[check_printable], help_text=_("The provider's name for it.")
    )
    label = models.CharField(_("label"), max_length=200, blank=True, help_text=_("Empty to show the name."))
    order = models.IntegerField(_("order"), default=0)
    price_in = models.DecimalField(
        _("price in"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per million prompt tokens."),
    )
    price_out = models.DecimalField(
        _("price out"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per million answer tokens."),
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", _("Three capital letters, like USD."))],
    )
    context_window = models.PositiveIntegerField(
        _("context window"),
        null=True,
        blank=True,
        help_text=_("Tokens of prompt and answer together; empty to use what the endpoint reports."),
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
        help_text=_("Groups that may use it; none means everybody."),
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
        """Assign a key to a new model. A new default replaces the old one."""
        if not self.key:
            self.assign_key()
        with transaction.atomic():
            if self.default:
                type(self).objects.filter(default=True).exclude(pk=self.pk).update(default=False)
            super().save(*args, **kwargs)

    def assign_key(self) -> None:
        """Assign a unique key; a second model with the same name at the same endpoint gets a number."""
        key = model_key(self.endpoint.prefix, self.name)
        candidates = (key if number == 1 else f"{key[: MAX_KEY_LENGTH - 6]} ({number})" for number in count(1))
        self.key = next(key for key in candidates if not type(self).objects.filter(key=key).exists())

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Skip the constraint on the default: `save` replaces the old one."""
        super().validate_constraints(exclude={*(exclude or ()), "default"})
