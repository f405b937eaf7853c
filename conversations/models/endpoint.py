"""Endpoint and LanguageModel: where answers come from, as administrators decide it."""

from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Endpoint(models.Model):
    """An OpenAI-compatible base URL. Its key stays in the environment; here is only the name of the variable."""

    name = models.CharField(max_length=100, unique=True)
    base_url = models.URLField(_("base URL"), max_length=500, help_text=_("For example https://api.openai.com/v1"))
    key_variable = models.CharField(
        max_length=100,
        blank=True,
        validators=[RegexValidator(r"\A[A-Za-z_][A-Za-z0-9_]*\Z", _("The name of an environment variable."))],
        help_text=_("Name of the environment variable that holds the key; never the key itself."),
    )
    connect_timeout = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0.1)])
    first_token_timeout = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0.1)])
    silence_timeout = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0.1)])
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ContinuesBy(models.TextChoices):
    PREFILL = "prefill", _("beginning its answer with the text so far")
    INSTRUCTION = "instruction", _("being asked to go on")


class LanguageModel(models.Model):
    """A model that people may choose. `key` is what conversations, pages and frames call it."""

    key = models.CharField(max_length=200, unique=True)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="models")
    name = models.CharField(max_length=200, help_text=_("As the provider calls it."))
    label = models.CharField(max_length=200, blank=True, help_text=_("As people see it; empty for the name."))
    order = models.IntegerField(default=0)
    price_in = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per million tokens of the prompt."),
    )
    price_out = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Per million tokens of the answer."),
    )
    currency = models.CharField(
        max_length=3, default="USD", validators=[RegexValidator(r"\A[A-Z]{3}\Z", _("Three capital letters, like USD."))]
    )
    context_window = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Tokens of prompt and answer together.")
    )
    continues_by = models.CharField(max_length=11, choices=ContinuesBy.choices, default=ContinuesBy.INSTRUCTION)
    system_prompt = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    default = models.BooleanField(default=False)
    groups = models.ManyToManyField(
        Group, blank=True, related_name="+", help_text=_("Who may use it; nobody chosen means everybody.")
    )

    class Meta:
        ordering = ["order", "label", "key"]
        constraints = [
            models.UniqueConstraint(fields=["default"], condition=Q(default=True), name="language_model_one_default"),
        ]

    def __str__(self) -> str:
        return self.label or self.name
