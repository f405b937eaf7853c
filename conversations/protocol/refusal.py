"""The reasons for not carrying out a command, and the refusals that several commands share."""

from django.utils.translation import gettext as _


class Refusal(Exception):
    """A command that is not carried out. `code` is for the page (docs/protocol.md), `sentence` for the person."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def busy() -> Refusal:
    """The database is unavailable or overloaded, or another command was faster."""
    return Refusal("busy", _("That did not go through. Please try again."))


def shutting_down() -> Refusal:
    """This process accepts no new work."""
    return Refusal("stopping", _("The server is restarting. Please try again in a moment."))


def internal_error() -> Refusal:
    """Something failed unexpectedly; the log says what."""
    return Refusal("internal", _("Something went wrong on the server. Please try again."))


def not_found() -> Refusal:
    """It does not exist, or belongs to somebody else: the answer is the same."""
    return Refusal("not_found", _("This no longer exists."))


def not_possible() -> Refusal:
    """The message has the wrong role for this command."""
    return Refusal("not_possible", _("That is not possible with this message."))
