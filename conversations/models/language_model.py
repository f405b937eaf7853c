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
    """What conversations, pages and frames call a model: no two endpoints share a key, whatever they list.

    An endpoint without a prefix gives its names as they are; one of those with the separator in it gets one, too, so
    that it cannot be taken for another endpoint's.
    """
    key = name if not prefix and KEY_SEPARATOR not in name else f"{prefix}{KEY_SEPARATOR}{name}"
    return (
        key
        if len(key) <= MAX_KEY_LENGTH
        else f"{key[: MAX_KEY_LENGTH - 17]}~{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    )


def model_name(key: str) -> str:
    """The provider's name in a key, for people."""
    return key.partition(KEY_SEPARATOR)[2] or key


class ContinuesBy(models.TextChoices):
    PREFILL = "prefill", _("beginning its answer with the text so far")
    INSTRUCTION = "instruction", _("being asked to go on")


class LanguageModel(models.Model):
    """A model that people may choose. `key` is what conversations, pages and frames call it."""

    key = models.CharField(_("key"), max_length=MAX_KEY_LENGTH, unique=True)
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
        key = model_key(self.endpoint.prefix, self.name)
        candidates = (key if number == 1 else f"{key[: MAX_KEY_LENGTH - 6]} ({number})" for number in count(1))
        self.key = next(key for key in candidates if not type(self).objects.filter(key=key).exists())

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """That there is one default is seen to by `save`, not asked of the administrator."""
        super().validate_constraints(exclude={*(exclude or ()), "default"})
