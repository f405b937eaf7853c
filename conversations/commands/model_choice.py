"""Chooses the model that answers a command."""

import logging
from collections.abc import Sequence

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _

from conversations.models import Conversation
from conversations.people import effective_preferences
from conversations.protocol.commands import Continue, StartCommand
from conversations.protocol.refusal import Refusal
from conversations.providers.catalog.offered_model import Model
from conversations.providers.catalog.preselection import default
from conversations.storage import start_sql

logger = logging.getLogger(__name__)


def choose_model(wanted: str | None, fallback: str, offered: Sequence[Model]) -> Model:
    """Return the model with the key `wanted`, else `fallback`, else the default model.

    Raises Refusal if there is none, it is not among `offered`, or the API key of its endpoint is missing.
    """
    standard = default(offered)
    if standard is None:
        raise Refusal("no_model", _("No model is available right now: the provider could not be reached."))
    key = wanted or fallback
    model = next((model for model in offered if model.key == key), None) if key else standard
    if model is None:
        raise Refusal(
            "model_not_offered",
            _("The model “%(name)s” is not available. Choose another one and send again.") % {"name": key[:80]},
        )
    if model.endpoint.missing:
        raise _no_key(model)
    return model


def _no_key(model: Model) -> Refusal:
    logger.warning("endpoint %s: the environment variable %s is not set", model.endpoint, model.endpoint.missing)
    return Refusal(
        "no_key",
        _(
            "The model “%(name)s” cannot be used: its key (%(variable)s) is missing on the server. "
            "Tell your administrator, or choose another model."
        )
        % {"name": model, "variable": model.endpoint.missing},
    )


def fallback_model(
    conversation: Conversation, command: StartCommand, facts: start_sql.Facts, offered: Sequence[Model]
) -> str:
    """Return the key of the model for a command that names none; "" for the default model.

    It is the model that began the answer to continue, else the conversation's, else the person's choice.
    """
    keys = {model.key for model in offered}
    if isinstance(command, Continue):
        began = conversation.generations.filter(message=command.message).values_list("model", flat=True).first()
        return began if began in keys else conversation.model
    return conversation.model or effective_preferences.first_offered((facts.default_model, facts.last_model), keys)


def remember_choice(user: AbstractBaseUser, model: Model, facts: start_sql.Facts, preselected: str) -> None:
    """Store the model as the person's last choice, unless it was preselected: then the person goes on following the
    administrator's default. `preselected`: the model's key."""
    if model.key not in (preselected, facts.last_model):
        effective_preferences.remember_model(user.pk, model.key)
