"""Generation: one attempt of a model to write an assistant message."""

from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.rules.end_sentences import sentence
from conversations.rules.status import REASONS, EndReason, Status
from conversations.rules.stop_request import StopOrigin

from .conversation import Conversation
from .ids import new_id
from .message import Message
from .process import ServerProcess


class Kind(models.TextChoices):
    REPLY = "reply", _("reply")
    REGENERATE = "regenerate", _("regenerate")
    CONTINUE = "continue", _("continue")


class UsageSource(models.TextChoices):
    PROVIDER = "provider", _("provider")
    ESTIMATED = "estimated", _("estimated")


class GenerationQuerySet(models.QuerySet["Generation"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        return self.filter(conversation__owner_id=user.pk, conversation__deleted_at=None)

    def streaming(self) -> Self:
        return self.filter(status=Status.STREAMING)


def _terminal_exactly_when_ended() -> Q:
    streaming = Q(status=Status.STREAMING, ended_at=None, end_reason="")
    ended = Q()
    for status, reasons in REASONS.items():
        ended |= Q(status=status, ended_at__isnull=False, end_reason__in=[str(reason) for reason in reasons])
    return streaming | ended


def _between(begin: str, end: str) -> "models.ExpressionWrapper[Any]":
    return models.ExpressionWrapper(models.F(end) - models.F(begin), output_field=models.DurationField())


FIRST_TOKEN = _between("requested_at", "first_token_at")
STOP_TO_CLOSED = _between("stop_requested_at", "upstream_closed_at")


REASONS_NEEDING_REVIEW = (EndReason.SERVER_LOST, EndReason.STOPPED_BY_ADMIN)
"""Reasons of interruptions that need a review. A person's own stop, a closed page or a deploy needs none."""

NEEDS_REVIEW = (Q(status=Status.ERROR) | Q(end_reason__in=REASONS_NEEDING_REVIEW)) & Q(reviewed_at=None)
"""Unreviewed generations that failed, were lost or were stopped by an administrator."""


class Generation(models.Model):
    """`streaming` until its one transition to a terminal status, a compare-and-set: see `storage.journal`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="generations", verbose_name=_("conversation")
    )
    message = models.OneToOneField(Message, models.CASCADE, related_name="generation", verbose_name=_("message"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="generations", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    continued_from = models.ForeignKey(
        Message, models.SET_NULL, null=True, related_name="+", verbose_name=_("continued from")
    )
    endpoint = models.CharField(_("endpoint"), max_length=200, blank=True, help_text=_("The provider's host."))
    model = models.CharField(_("model"), max_length=200)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.STREAMING)
    end_reason = models.CharField(_("reason"), max_length=24, choices=EndReason.choices, blank=True)
    error_code = models.CharField(
        _("error code"), max_length=40, blank=True, help_text=_("The provider's code or HTTP status.")
    )
    detail = models.CharField(
        _("details"), max_length=500, blank=True, help_text=_("What happened, without secrets or addresses.")
    )
    retry_after = models.PositiveIntegerField(
        _("retry after"), null=True, help_text=_("Seconds that the provider asked to wait.")
    )

    requested_at = models.DateTimeField(_("asked"), db_default=Now())
    opened_at = models.DateTimeField(_("provider answered"), null=True, help_text=_("The provider's headers arrived."))
    first_token_at = models.DateTimeField(_("first token"), null=True)
    stop_requested_at = models.DateTimeField(_("asked to stop"), null=True)
    stop_reason = models.CharField(max_length=24, choices=EndReason.choices, blank=True)
    stop_origin = models.CharField(max_length=10, choices=StopOrigin.choices, blank=True, db_default="")
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("stopped by")
    )
    upstream_closed_at = models.DateTimeField(_("provider closed"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    characters = models.PositiveIntegerField(_("characters"), default=0, help_text=_("Written by this generation."))
    tokens_in = models.PositiveIntegerField(_("tokens in"), null=True)
    tokens_out = models.PositiveIntegerField(_("tokens out"), null=True)
    thought_tokens = models.PositiveIntegerField(
        _("reasoning tokens"),
        db_default=0,
        help_text=_("Output tokens spent on hidden reasoning (estimate)."),
    )
    usage_source = models.CharField(_("token source"), max_length=10, choices=UsageSource.choices, blank=True)
    usage_final = models.BooleanField(
        db_default=False, help_text=_("Tokens were reported by the provider or counted, and are final.")
    )
    title_tokens_in = models.PositiveIntegerField(
        null=True,
        help_text=_("Tokens of the request for the conversation's title, included above; empty if there was none."),
    )
    title_tokens_out = models.PositiveIntegerField(null=True)
    price_in = models.DecimalField(
        _("price in"),
        max_digits=12,
        decimal_places=6,
        null=True,
        help_text=_("Per million tokens, when the generation began."),
    )
    price_out = models.DecimalField(_("price out"), max_digits=12, decimal_places=6, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, db_default="")
    cost = models.DecimalField(_("cost"), max_digits=16, decimal_places=8, null=True)
    turns_dropped = models.PositiveIntegerField(
        _("messages left out"),
        db_default=0,
        help_text=_("Oldest messages left out because the model's context window is too small."),
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("reviewed by")
    )
    review_note = models.TextField(_("review note"), blank=True, db_default="")
    owner = models.ForeignKey(
        ServerProcess, models.PROTECT, null=True, related_name="generations", verbose_name=_("process")
    )

    objects = GenerationQuerySet.as_manager()

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        constraints = [
            models.CheckConstraint(condition=_terminal_exactly_when_ended(), name="generation_terminal_when_ended"),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status=Status.STREAMING),
                name="generation_one_streaming_per_conversation",
            ),
        ]
        indexes = [
            models.Index(fields=["owner"], name="generation_streaming_by_owner", condition=Q(status=Status.STREAMING)),
            models.Index(
                fields=["requested_by"], name="generation_streaming_by_person", condition=Q(status=Status.STREAMING)
            ),
            models.Index(fields=["-requested_at"], name="generation_newest_first"),
            models.Index(
                fields=["ended_at"],
                name="generation_to_count",
                condition=Q(usage_final=False) & (Q(opened_at__isnull=False) | Q(characters__gt=0)),
            ),
            models.Index(
                fields=["-requested_at"],
                name="generation_unfinished",
                condition=Q(status__in=[Status.INTERRUPTED, Status.ERROR]),
            ),
            models.Index(fields=["-requested_at"], name="generation_to_review", condition=NEEDS_REVIEW),
            models.Index(fields=["model", "-requested_at"], name="generation_of_model"),
            # The admin sorts its list by these durations.
            models.Index(
                FIRST_TOKEN,
                name="generation_first_token",
                condition=Q(first_token_at__isnull=False),
            ),
            models.Index(
                STOP_TO_CLOSED,
                name="generation_stop_to_closed",
                condition=Q(stop_requested_at__isnull=False, upstream_closed_at__isnull=False),
            ),
        ]
        permissions = [("stop_generation", _("Can stop generation"))]

    def __str__(self) -> str:
        return f"{self.model}: {self.status} {self.end_reason}".strip()

    def price(self) -> Decimal | None:
        """The cost of its tokens at the prices when it began, rounded like the column; None if unknown."""
        return self._cost_of(self.tokens_in, self.tokens_out)

    @property
    def answer_tokens(self) -> tuple[int | None, int | None]:
        """(tokens in, tokens out), without the request for the conversation's title."""
        if self.tokens_in is None or self.tokens_out is None or self.title_tokens_in is None:
            return self.tokens_in, self.tokens_out
        return self.tokens_in - self.title_tokens_in, self.tokens_out - (self.title_tokens_out or 0)

    @property
    def answer_cost(self) -> Decimal | None:
        """The cost without the request for the conversation's title."""
        return self.cost if self.title_tokens_in is None or self.cost is None else self._cost_of(*self.answer_tokens)

    def _cost_of(self, *tokens: int | None) -> Decimal | None:
        prices = self.price_in, self.price_out
        if prices == (None, None) or tokens == (None, None):
            return None
        cost = sum(((price or 0) * Decimal(count or 0) for price, count in zip(prices, tokens, strict=True)), Decimal())
        return round(cost / 1_000_000, 8)

    @property
    def sentence(self) -> str:
        """The line below the answer that says how it ended, in the active language."""
        written = bool(self.message.content)
        return sentence(
            self.status,
            self.end_reason,
            written=written,
            retry_after=self.retry_after,
            code=self.error_code,
            model=self.model,
            stopped_offline=self.stopped_offline,
        )

    @property
    def stopped_offline(self) -> bool:
        """Whether a page stopped it while offline: the stop arrived after the end (see `record_late_stop`)."""
        return self.end_reason == EndReason.CONNECTION_LOST and self.stop_reason == EndReason.STOPPED
