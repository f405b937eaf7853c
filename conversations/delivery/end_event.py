"""The texts of an `end` event for people, in their languages: in full if that is known, else one sentence."""

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
from conversations.storage.db_threads import UNAVAILABLE, in_database

logger = logging.getLogger(__name__)

LOAD_TIMEOUT = 1.0
"""Seconds that an end which is already saved waits for a busy database to provide its note and footer."""


@dataclass(frozen=True, slots=True)
class EndTexts:
    """Call it with a language code for `note` (HTML), `footer` (HTML) and `announce` (text).

    `full`: the texts by language that were made with what the database knows. Other languages get the bare sentence.
    """

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


def render(generation: Generation, versions: Sequence[uuid.UUID], languages: Collection[str]) -> EndTexts:
    """The texts for an end that is saved and at hand. `versions`: those of the answer, oldest first."""
    full = fragments.end_parts(generation, versions, languages)
    return EndTexts(generation.status, generation.end_reason, generation.message.content, full)


async def load(generation: uuid.UUID, status: str, reason: str, text: str, languages: Collection[str]) -> EndTexts:
    """The texts for an end that another process has saved. If the database is unavailable or slow they are the bare
    ones. May be cancelled."""
    try:
        async with asyncio.timeout(LOAD_TIMEOUT):
            return EndTexts(status, reason, text, await in_database(fragments.stored_end_parts, generation, languages))
    except (*UNAVAILABLE, Generation.DoesNotExist) as error:
        logger.warning("generation %s: end shown without its footer: %s", generation, type(error).__name__)
        return EndTexts(status, reason, text)
