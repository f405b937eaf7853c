"""What an `end` frame says to people: in full where the database gives it, else the sentences alone."""

import asyncio
import logging
import uuid

from django.utils.html import format_html

from . import fragments
from .database import AWAY, in_database
from .models import Generation
from .outcomes import announcement, sentence

logger = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a saved end waits for a busy database to give its note and footer."""


async def parts(generation: Generation) -> dict[str, str]:
    """Note, footer and announcement of an end that is saved: it has to be told, with or without its trimmings."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await in_database(fragments.ending, generation)
    except AWAY as error:
        logger.warning("generation %s: end told without its footer: %s", generation.pk, type(error).__name__)
        return bare(generation.status, generation.end_reason, generation.message.content)


async def stored_parts(generation: uuid.UUID, status: str, reason: str, text: str) -> dict[str, str]:
    """The same for a generation of another process, which has to be read first."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await in_database(fragments.stored_ending, generation)
    except (*AWAY, Generation.DoesNotExist) as error:
        logger.warning("generation %s: end told without its footer: %s", generation, type(error).__name__)
        return bare(status, reason, text)


def bare(status: str, reason: str, text: str) -> dict[str, str]:
    """The same from what is known here."""
    line = sentence(status, reason, written=bool(text))
    announce = announcement(status, reason, len(text.split()))
    return {"note": format_html("<p>{}</p>", line) if line else "", "footer": "", "announce": announce}
