"""Ends what dead processes left streaming, so that no answer spins for ever."""

import logging
import time
import uuid

from django.db import connection, transaction

from conversations.rules.status import EndReason
from conversations.telemetry import generation_log

from . import journal_sql

logger = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two sweeps."""

PROMPT = 1.0
"""Seconds that the question who is dead may take. A database that stood still meanwhile renewed nobody's lease."""

STEADY = 2.0
"""Seconds of unbroken contact with the database before this process judges others."""


def sweep(process: uuid.UUID, *, at_start: bool = False) -> list[uuid.UUID]:
    """One sweep on a database thread; returns the generations it ended. Any number of processes may sweep at once."""
    began = time.monotonic()
    with transaction.atomic():
        connection.ensure_connection()
        dead = journal_sql.dead(connection.connection, process, at_start=at_start)
        if not dead or time.monotonic() - began > PROMPT:
            return []
        ended = journal_sql.sweep(connection.connection, dead)
    if ended:
        logger.warning("%d generations of lost processes ended as server_lost", len(ended))
        generation_log.swept(ended, EndReason.SERVER_LOST)
    return ended


def take_away(generation: uuid.UUID, reason: EndReason) -> None:
    """End a generation whose owner does not. Its text so far is kept; the owner, should it come back, is fenced."""
    with transaction.atomic():
        connection.ensure_connection()
        done = journal_sql.supersede(connection.connection, generation, reason)
    if done:
        generation_log.swept([generation], reason)
