"""Removes an account: ends its answers, then deletes everything that belongs to it."""

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

STOP_TIMEOUT = 3.0
"""Seconds that other processes have to end their answers; after that, this process ends them."""

MAX_ATTEMPTS = 3
"""Attempts to delete the account itself: an open page may add a row at the last moment."""


def remove_account(person: User, by: StopRequest) -> None:
    """Delete an account with its conversations, generations and settings, permanently.

    Synchronous; takes up to `STOP_TIMEOUT` seconds while answers end. Never call it within a transaction: each step
    commits, so that the processes that write the answers see it. Raises django.db.Error; the account is then locked,
    and the call can be repeated.
    """
    _lock_out(person)
    _end_generations(person, by)
    while retention.delete_batch(Conversation.objects.filter(owner=person)):
        pass
    _delete_user(person)


def _lock_out(person: User) -> None:
    """Close their pages in all processes and let them start nothing new."""
    person.is_active = False
    person.save(update_fields=["is_active"])


def _end_generations(person: User, by: StopRequest) -> None:
    """End their answers in every process."""
    for key in _streaming(person).values_list("pk", flat=True):
        record_stop_request(key, EndReason.DELETED, by)
    deadline = time.monotonic() + STOP_TIMEOUT
    while _streaming(person).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    for key in _streaming(person).values_list("pk", flat=True):
        reaper.force_end(key, EndReason.DELETED)


def _streaming(person: User) -> GenerationQuerySet:
    return Generation.objects.streaming().filter(conversation__owner=person)


def _delete_user(person: User) -> None:
    """Delete the account and its remaining rows."""
    key = person.pk
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            User.objects.filter(pk=key).delete()
        except IntegrityError:
            if attempt == MAX_ATTEMPTS:
                raise
        else:
            logger.info("account %d removed", key)
            return
