"""The limits that a command must keep: the prompt, the person's running answers, the model's context window."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.models import Conversation, Message
from conversations.protocol.refusal import Refusal
from conversations.providers import context_window
from conversations.providers.catalog.offered_model import Model
from conversations.providers.prompt import turns
from conversations.providers.prompt_turn import Turn


def check_prompt(content: str) -> None:
    """Raise Refusal if the prompt is blank, too long, or contains NUL."""
    if not any(character.isprintable() and not character.isspace() for character in content):
        raise Refusal("empty", _("Write something first."))
    if "\0" in content:
        raise Refusal("malformed", _("The message contains a character that cannot be stored."))
    if len(content) > settings.CHAT_MAX_PROMPT:
        raise Refusal(
            "too_long",
            _("That message is too long: it has %(length)d characters, the limit is %(limit)d.")
            % {"length": len(content), "limit": settings.CHAT_MAX_PROMPT},
        )


def check_running_answers(running: int) -> None:
    """Raise Refusal if this person already has as many running answers as are allowed."""
    limit = settings.CHAT_MAX_CONCURRENT
    if running >= limit:
        raise Refusal(
            "too_many",
            ngettext(
                "%(limit)d of your answers is being written. Stop it or wait until it ends.",
                "%(limit)d of your answers are being written. Stop one or wait until one ends.",
                limit,
            )
            % {"limit": limit},
        )


def fit_context(
    model: Model, conversation: Conversation, branch: Sequence[Message], partial: Message | None = None
) -> tuple[list[Turn], int]:
    """Return the turns to send, and how many messages at the start of `branch` were dropped to fit the context window.

    `partial` is the answer to continue. Raises Refusal if not even the last prompt fits, `context_window.Uncounted` if
    texts have to be counted first.
    """
    everything = turns(model, conversation, branch, partial)
    if model.context_window is None:
        return everything, 0
    first = 1 if everything[0]["role"] == "system" else 0
    try:
        dropped = context_window.messages_to_drop(everything, first + len(branch) - 1, model.context_window)
    except context_window.TooLong as error:
        raise _too_long(model, error) from error
    return [*everything[:first], *everything[first + dropped :]], dropped


def _too_long(model: Model, error: context_window.TooLong) -> Refusal:
    return Refusal(
        "too_long",
        _(
            "That is too long for the model “%(name)s”: with its instructions it has about %(tokens)d tokens, and the "
            "model accepts %(limit)d. Shorten it, or choose another model."
        )
        % {"name": model, "tokens": error.tokens, "limit": error.limit},
    )
