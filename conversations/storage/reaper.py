"""Ends the generations that dead processes left streaming. Runs on a database thread."""

import logging
import time
import uuid

from django.db import connection, transaction

from conversations.rules.status import EndReason
from conversations.telemetry import generation_log

from . import journal_sql

logger = logging.getLogger(__name__)

REAP_INTERVAL = 2.0
"""Seconds between two attempts."""

MAX_LOOKUP_TIME = 1.0
"""Seconds that finding the dead processes may take. If it takes longer, the database may have stood still, and then no
process could renew its lease."""

MIN_STEADY_CONTACT = 2.0
"""Seconds of unbroken contact with the database before this process judges others."""


def reap(process: uuid.UUID, *, at_start: bool = False) -> list[uuid.UUID]:
    """End what dead processes left streaming, and return the ids of those generations. Raises django.db.Error and
    psycopg.Error. Any number of processes may reap at once."""
    began = time.monotonic()
    with transaction.atomic():
        connection.ensure_connection()
        dead = journal_sql.dead_processes(connection.connection, process, at_start=at_start)
        if not dead or time.monotonic() - began > MAX_LOOKUP_TIME:
            return []
        ended = journal_sql.reap(connection.connection, dead)
    if ended:
        logger.warning("%d generations of lost processes ended as server_lost", len(ended))
        generation_log.reaped(ended, EndReason.SERVER_LOST)
    return ended


def force_end(generation: uuid.UUID, reason: EndReason) -> None:
    """End a generation whose owner does not end it. Keeps the text saved so far and fences the owner, in case it comes
    back. Raises django.db.Error, psycopg.Error."""
    with transaction.atomic():
        connection.ensure_connection()
        done = journal_sql.force_end(connection.connection, generation, reason)
    if done:
        generation_log.reaped([generation], reason)
