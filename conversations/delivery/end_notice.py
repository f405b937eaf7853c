"""What an `end` frame says to people, in their languages: in full where that is known, else a sentence."""

import asyncio
import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import translation
from django.utils.html import format_html

from conversations.models import Generation
from conversations.rendering import fragments
from conversations.rules.end_sentences import announcement, sentence
from conversations.storage.db_threads import AWAY, in_database

logger = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a saved end waits for a busy database to give its note and footer."""


@dataclass(frozen=True, slots=True)
class Words:
    """Note, footer and announcement by language. `full`: those that were made with what the database knows."""

    status: str
    reason: str
    text: str
    full: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __call__(self, language: str) -> Mapping[str, str]:
        return self.full.get(language) or self._bare(language)

    def _bare(self, language: str) -> dict[str, str]:
        with translation.override(language):
            line = sentence(self.status, self.reason, written=bool(self.text))
            announce = announcement(self.status, self.reason, len(self.text.split()), line)
            return {"note": format_html("<p>{}</p>", line) if line else "", "footer": "", "announce": announce}


def words(generation: Generation, versions: Sequence[uuid.UUID], languages: Collection[str]) -> Words:
    """Of an end that is saved. `versions`: of the answer, oldest first."""
    full = fragments.end_parts(generation, versions, languages)
    return Words(generation.status, generation.end_reason, generation.message.content, full)


async def stored_words(generation: uuid.UUID, status: str, reason: str, text: str, languages: Collection[str]) -> Words:
    """The same for a generation of another process, which has to be read first; and told, with or without its
    trimmings."""
    try:
        async with asyncio.timeout(PATIENCE):
            return Words(status, reason, text, await in_database(fragments.stored_end_parts, generation, languages))
    except (*AWAY, Generation.DoesNotExist) as error:
        logger.warning("generation %s: end told without its footer: %s", generation, type(error).__name__)
        return Words(status, reason, text)
