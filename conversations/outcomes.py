"""How an answer can stand: the four statuses, the reasons for an end, and the sentence a person reads for each."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext


class Status(models.TextChoices):
    STREAMING = "streaming", lazy("streaming")
    COMPLETE = "complete", lazy("complete")
    INTERRUPTED = "interrupted", lazy("interrupted")
    ERROR = "error", lazy("error")


class EndReason(models.TextChoices):
    FINISHED = "finished", lazy("finished")
    LENGTH = "length", lazy("length limit")
    CONTENT_FILTER = "content_filter", lazy("content filter")

    STOPPED = "stopped", lazy("stopped")
    LEFT = "left", lazy("left the page")
    CONNECTION_LOST = "connection_lost", lazy("connection lost")
    SUPERSEDED = "superseded", lazy("superseded")
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
    TOOL_CALL = "tool_call", lazy("asked for a tool")
    UNCLEAR = "unclear", lazy("unclear end")
    STORAGE = "storage", lazy("storage away")

    @property
    def status(self) -> Status:
        """The one status that this reason belongs to."""
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
    """How a run ended. `code` and `detail` are safe to show to an administrator."""

    reason: EndReason
    code: str = ""
    detail: str = ""
    retry_after: int | None = None

    @property
    def status(self) -> Status:
        return self.reason.status


NO_CREDIT = "no_credit"
"""Code of a refusal because nothing is left on the account."""

THOUGHT = "thought"
LENGTH = "length"
REFUSAL = "refusal"
"""Codes of empty answers: the model thought until its limit, came to the limit without, would not answer."""

SENTENCES = {
    EndReason.LENGTH: lazy("The answer reached the model's length limit."),
    EndReason.CONTENT_FILTER: lazy("The provider's content filter ended this answer."),
    EndReason.STOPPED: lazy("You stopped this answer."),
    EndReason.LEFT: lazy("Stopped because the page was closed."),
    EndReason.CONNECTION_LOST: lazy("Your connection dropped, so the answer was stopped."),
    EndReason.SUPERSEDED: lazy("Stopped by your next message."),
    EndReason.SIGNED_OUT: lazy("Stopped because you signed out."),
    EndReason.DELETED: lazy("Stopped because the conversation was deleted."),
    EndReason.STOPPED_BY_ADMIN: lazy("Stopped by an administrator."),
    EndReason.SERVER_SHUTDOWN: lazy("The server restarted."),
    EndReason.SERVER_LOST: lazy("The server restarted unexpectedly."),
    EndReason.PROVIDER_UNREACHABLE: lazy("The provider could not be reached. Try again in a moment."),
    EndReason.PROVIDER_REJECTED: lazy("The provider refused the request. An administrator should check its settings."),
    EndReason.RATE_LIMITED: lazy("The provider asked us to slow down. Try again in a moment."),
    EndReason.PROVIDER_FAILED: lazy("The provider had a problem. Try again in a moment."),
    EndReason.TRUNCATED: lazy("The provider broke off in mid-answer. Try again, or continue from what was written."),
    EndReason.TIMED_OUT: lazy("The provider took too long. Try again in a moment."),
    EndReason.TOO_LARGE: lazy("The answer grew over the size limit, so it was ended here."),
    EndReason.CONTEXT_EXCEEDED: lazy(
        "This conversation is too long for the model “%(model)s”. Shorten your message, start a new chat, or choose "
        "another model."
    ),
    EndReason.EMPTY: lazy("The model returned an empty answer."),
    EndReason.TOOL_CALL: lazy("The model asked for a tool, and there are none here, so the answer ended."),
    EndReason.UNCLEAR: lazy("The provider ended this answer without saying that it is complete."),
    EndReason.STORAGE: lazy("The answer could not be saved in time, so it was ended here. Try again in a moment."),
}

SENTENCES_OF_CODES = {
    (EndReason.PROVIDER_REJECTED, "401"): lazy("The provider rejected the API key. An administrator should check it."),
    (EndReason.PROVIDER_REJECTED, "403"): lazy(
        "The provider does not let this server use the model “%(model)s”. Choose another model, or tell your "
        "administrator."
    ),
    (EndReason.PROVIDER_REJECTED, "404"): lazy(
        "The provider does not know the model “%(model)s”. Choose another model, or tell your administrator."
    ),
    (EndReason.PROVIDER_REJECTED, NO_CREDIT): lazy(
        "The server's credit with the provider is used up. Choose another model, or tell your administrator."
    ),
    (EndReason.EMPTY, THOUGHT): lazy("The model thought until it reached its length limit, and wrote nothing."),
    (EndReason.EMPTY, LENGTH): lazy("The model reached its length limit before it wrote anything."),
    (EndReason.EMPTY, REFUSAL): lazy("The model declined to answer."),
}
"""Where the code says more than the reason."""


STOPPED_OFFLINE = lazy("You stopped this answer while your network was gone, so it ended only when the server noticed.")


def can_continue(status: str, reason: str, *, written: bool) -> bool:
    """Whether a model may be asked to go on with an answer: wherever text was kept and it did not end of itself. What
    grew over the size limit has no room to go on."""
    if not written or status == Status.STREAMING or reason == EndReason.TOO_LARGE:
        return False
    return status != Status.COMPLETE or reason == EndReason.LENGTH


def sentence(
    status: str,
    reason: str,
    *,
    written: bool,
    retry_after: int | None = None,
    code: str = "",
    model: str = "",
    stopped_offline: bool = False,
) -> str:
    """The line under an answer, in plain words; "" for an ordinary complete one. The same live, on reload, in admin.

    `model`: what people call the model. `stopped_offline`: somebody stopped it, and that came to the server after the
    end.
    """
    if status == Status.STREAMING or reason in ("", EndReason.FINISHED):
        return ""
    known = EndReason(reason)
    line = str(SENTENCES_OF_CODES.get((known, code), SENTENCES[known])) % {"model": model}
    if known == EndReason.CONNECTION_LOST and stopped_offline:
        line = str(STOPPED_OFFLINE)
    if reason == EndReason.RATE_LIMITED and retry_after:
        line = _("The provider asked us to slow down. Try again in %(seconds)d s.") % {"seconds": retry_after}
    if status == Status.INTERRUPTED and not written and reason != EndReason.DELETED:
        nothing = _("Nothing was written.")
        line = f"{line} {nothing}"
    return line


def announcement(status: str, reason: str, words: int, line: str) -> str:
    """What the page's status region says when an answer ends. `line`: the sentence under it."""
    if status == Status.COMPLETE:
        return line or _("Answer complete")
    if status == Status.ERROR or reason == EndReason.DELETED:
        return line
    if not words:
        return _("Stopped. Nothing was written.")
    kept = ngettext("%(count)d word kept", "%(count)d words kept", words) % {"count": words}
    return _("Stopped, %(kept)s") % {"kept": kept}
