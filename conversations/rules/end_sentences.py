"""The sentence that people read for each way in which an answer can end."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from .status import LENGTH, NO_CREDIT, REFUSAL, THOUGHT, EndReason, Status

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
    EndReason.TRUNCATED: lazy(
        "The provider stopped before the answer was complete. Try again, or continue from what was written."
    ),
    EndReason.TIMED_OUT: lazy("The provider took too long. Try again in a moment."),
    EndReason.TOO_LARGE: lazy("The answer exceeded the size limit, so it was ended here."),
    EndReason.CONTEXT_EXCEEDED: lazy(
        "This conversation is too long for the model “%(model)s”. Shorten your message, start a new chat, or choose "
        "another model."
    ),
    EndReason.EMPTY: lazy("The model returned an empty answer."),
    EndReason.TOOL_CALL: lazy("The model asked for a tool, and none is available here, so the answer ended."),
    EndReason.UNCLEAR: lazy("The provider ended this answer without reporting it as complete."),
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
    (EndReason.EMPTY, THOUGHT): lazy("The model reached its length limit while reasoning and wrote nothing."),
    (EndReason.EMPTY, LENGTH): lazy("The model reached its length limit before it wrote anything."),
    (EndReason.EMPTY, REFUSAL): lazy("The model declined to answer."),
}
"""More specific sentences, for reasons with one of these codes."""


STOPPED_OFFLINE = lazy("You stopped this answer while you were offline, so it only ended when the server noticed.")


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
    """Return the line under an answer; "" if it is streaming or simply complete.

    It is the same live, after a reload, in the export and in the admin.

    `written`: the answer has text. `retry_after` is in seconds. `model` is the model's name for people.
    `stopped_offline`: its viewer stopped it, but the stop reached the server only after the connection was lost.
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
    """Return what the page's status region says when an answer ends. `words` is the number of words kept, `line` the
    sentence under the answer."""
    if status == Status.COMPLETE:
        return line or _("Answer complete")
    if status == Status.ERROR or reason == EndReason.DELETED:
        return line
    if not words:
        return _("Stopped. Nothing was written.")
    kept = ngettext("%(count)d word kept", "%(count)d words kept", words) % {"count": words}
    return _("Stopped, %(kept)s") % {"kept": kept}
