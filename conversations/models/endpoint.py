"""Endpoint and LanguageModel: where answers come from, as administrators decide it."""

from collections.abc import Collection
from itertools import chain, count
from typing import Any

from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

KEY_LENGTH = 200


class Endpoint(models.Model):
    """An OpenAI-compatible base URL. Its key stays in the environment; here is only the name of the variable."""

    name = models.CharField(max_length=100, unique=True)
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
            "People may choose every model that the endpoint lists, but those that are known here and disabled."
        ),
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
    name = models.CharField(max_length=200, help_text=_("As the provider calls it."))
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
        null=True, blank=True, help_text=_("Tokens of prompt and answer together.")
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

    def give_key(self, taken: Collection[str] = ()) -> None:
        """A key for a new model: its name, unless that is taken, here or as the caller knows."""
        full = f"{self.endpoint}/{self.name}"
        candidates = chain((self.name, full), (f"{full}/{number}" for number in count(2)))
        free = (key for key in candidates if key not in taken and not type(self).objects.filter(key=key).exists())
        self.key = next(free)[-KEY_LENGTH:]

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """That there is one default is seen to by `save`, not asked of the administrator."""
        super().validate_constraints(exclude={*(exclude or ()), "default"})
