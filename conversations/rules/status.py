"""The four statuses of a generation, and the reasons for which it ends."""

import re
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as lazy


class Status(models.TextChoices):
    """A generation is `streaming` until it ends, once, in one of the other three."""

    STREAMING = "streaming", lazy("streaming")
    COMPLETE = "complete", lazy("complete")
    INTERRUPTED = "interrupted", lazy("interrupted")
    ERROR = "error", lazy("error")


UNFINISHED = (Status.INTERRUPTED, Status.ERROR)
"""Statuses of answers that ended before they were complete."""


class EndReason(models.TextChoices):
    """Why a generation ended. Each reason belongs to one status (`REASONS`)."""

    FINISHED = "finished", lazy("finished")
    LENGTH = "length", lazy("length limit")
    CONTENT_FILTER = "content_filter", lazy("content filter")

    STOPPED = "stopped", lazy("stopped")
    LEFT = "left", lazy("left the page")
    CONNECTION_LOST = "connection_lost", lazy("connection lost")
    SUPERSEDED = "superseded", lazy("replaced by the next message")
    SIGNED_OUT = "signed_out", lazy("signed out")
    DELETED = "deleted", lazy("deleted")
    STOPPED_BY_ADMIN = "stopped_by_admin", lazy("stopped by an administrator")
    SERVER_SHUTDOWN = "server_shutdown", lazy("server shut down")
    SERVER_LOST = "server_lost", lazy("server lost")

    PROVIDER_UNREACHABLE = "provider_unreachable", lazy("provider unreachable")
    PROVIDER_REJECTED = "provider_rejected", lazy("provider rejected")
    RATE_LIMITED = "rate_limited", lazy("rate limited")
    PROVIDER_FAILED = "provider_failed", lazy("provider failed")
    TRUNCATED = "truncated", lazy("truncated")
    TIMED_OUT = "timed_out", lazy("timed out")
    TOO_LARGE = "too_large", lazy("too large")
    CONTEXT_EXCEEDED = "context_exceeded", lazy("too long for the model")
    EMPTY = "empty", lazy("empty answer")
    TOOL_CALL = "tool_call", lazy("tool call")
    UNCLEAR = "unclear", lazy("unclear end")
    STORAGE = "storage", lazy("storage unavailable")

    @property
    def status(self) -> Status:
        """The status that this reason belongs to."""
        return STATUS_OF[self]


REASONS: dict[Status, tuple[EndReason, ...]] = {
    Status.COMPLETE: (EndReason.FINISHED, EndReason.LENGTH, EndReason.CONTENT_FILTER),
    Status.INTERRUPTED: (
        EndReason.STOPPED,
        EndReason.LEFT,
        EndReason.CONNECTION_LOST,
        EndReason.SUPERSEDED,
        EndReason.SIGNED_OUT,
        EndReason.DELETED,
        EndReason.STOPPED_BY_ADMIN,
        EndReason.SERVER_SHUTDOWN,
        EndReason.SERVER_LOST,
    ),
    Status.ERROR: (
        EndReason.PROVIDER_UNREACHABLE,
        EndReason.PROVIDER_REJECTED,
        EndReason.RATE_LIMITED,
        EndReason.PROVIDER_FAILED,
        EndReason.TRUNCATED,
        EndReason.TIMED_OUT,
        EndReason.TOO_LARGE,
        EndReason.CONTEXT_EXCEEDED,
        EndReason.EMPTY,
        EndReason.TOOL_CALL,
        EndReason.UNCLEAR,
        EndReason.STORAGE,
    ),
}

STATUS_OF: dict[EndReason, Status] = {reason: status for status, reasons in REASONS.items() for reason in reasons}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a generation ended. `code` and `detail` are safe to show to administrators. `retry_after` is in seconds."""

    reason: EndReason
    code: str = ""
    detail: str = ""
    retry_after: int | None = None

    @property
    def status(self) -> Status:
        return self.reason.status


NO_CREDIT = "no_credit"
"""Code for a provider that rejects requests because the account has no credit left."""

THOUGHT = "thought"
LENGTH = "length"
REFUSAL = "refusal"
"""Codes of empty answers: the model used its whole limit for reasoning, reached the limit otherwise, or declined."""


def can_continue(status: str, reason: str, *, written: bool) -> bool:
    """Return whether a model may be asked to continue an answer: it has text (`written`) and was cut off. One that
    exceeded the size limit has no room to continue."""
    if not written or status == Status.STREAMING or reason == EndReason.TOO_LARGE:
        return False
    return status != Status.COMPLETE or reason == EndReason.LENGTH


def known_reason(name: str, otherwise: EndReason) -> EndReason:
    """Return the reason of this name; `otherwise` for a name that only a newer version of the product knows."""
    return EndReason(name) if name in EndReason.values else otherwise


CODE = re.compile(r"[\w.:-]{1,40}", re.ASCII)
"""The shape of a code. Codes come from the provider, so without this check one could be a sentence of the prompt."""
