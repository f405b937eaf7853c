"""Refusals that several commands share."""

from django.utils.translation import gettext as _

from conversations.protocol.refusal import Refusal


def busy_sentence() -> str:
    return _("That did not go through. Please try again.")


def stopping_sentence() -> str:
    return _("The server is restarting. Please try again in a moment.")


def failed() -> Refusal:
    """Something that nobody has thought of; the log has it."""
    return Refusal("internal", _("Something went wrong on the server. Please try again."))


def not_found() -> Refusal:
    return Refusal("not_found", _("This no longer exists."))
