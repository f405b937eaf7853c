"""Removing a person: their answers end, then everything of theirs goes."""

import logging
import time

from django.contrib.auth.models import User
from django.db import IntegrityError

from conversations.commands.end_generation import record_stop_request
from conversations.models import Conversation, Generation
from conversations.models.generation import GenerationQuerySet
from conversations.rules.status import EndReason
from conversations.rules.stop_request import StopRequest
from conversations.storage import reaper

from . import retention

logger = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that the owners of running answers have to end them. Then they are overruled."""

ATTEMPTS = 3
"""To remove the account itself. A page that was served before may add a row to it at the last moment."""


def remove(person: User, by: StopRequest) -> None:
    """Remove an account with its conversations, runs and settings, for good.

    Each step is a transaction of its own, for the processes that write the answers have to see it: so never call this
    within one. Raises django.db.Error; the person is then locked out, and it can be done again.
    """
    _lock_out(person)
    _end_answers(person, by)
    while retention.remove(Conversation.objects.filter(owner=person)):
        pass
    _remove_account(person)


def _lock_out(person: User) -> None:
    """Their pages are closed, in all processes, and begin nothing new."""
    person.is_active = False
    person.save(update_fields=["is_active"])


def _end_answers(person: User, by: StopRequest) -> None:
    """Whichever processes write them."""
    for key in _running(person).values_list("pk", flat=True):
        record_stop_request(key, EndReason.DELETED, by)
    deadline = time.monotonic() + PATIENCE
    while _running(person).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    for key in _running(person).values_list("pk", flat=True):
        reaper.force_end(key, EndReason.DELETED)


def _running(person: User) -> GenerationQuerySet:
    return Generation.objects.streaming().filter(conversation__owner=person)


def _remove_account(person: User) -> None:
    """The account and whatever is left of it."""
    key = person.pk
    for attempt in range(1, ATTEMPTS + 1):
        try:
            User.objects.filter(pk=key).delete()
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
        else:
            logger.info("account %d removed", key)
            return
