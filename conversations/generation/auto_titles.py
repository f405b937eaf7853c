"""Automatic titles: after a conversation's first complete answer its model is asked for one, for as long as somebody is
there and asks nothing else: a stop begins no request, and a question never waits behind a title.

Until then, and wherever that fails, the title is the first words of the prompt. What a person calls it stays. What the
request takes is added to what the answer took (`usage`).
"""

import asyncio
import logging
import re
import uuid
from collections.abc import Callable

from django.conf import settings

from conversations.models import Conversation, Generation, TitleSource
from conversations.models.conversation import title_from_prompt
from conversations.providers.client_pool import Providers
from conversations.providers.endpoints import Endpoint
from conversations.providers.model_list_cache import why
from conversations.providers.short_answer import Limits, Line
from conversations.providers.sse import ProviderError
from conversations.providers.token_counter import rough
from conversations.rules.status import Status
from conversations.storage import usage
from conversations.storage.db_threads import AWAY, in_database

from .generation import LiveGeneration

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a title may take."""

ATTEMPTS = 2
"""Requests for one conversation: a second one, after another answer, where the first was cut short or failed."""

TOKENS = 24

SHOWN = 2000
"""Characters of prompt and answer that the model gets to see."""

INSTRUCTION = (
    "Give this conversation a title of at most six words, in the language of the conversation. "
    "Answer with the title alone, on one line, without quotation marks."
)
_LABEL = re.compile(r"\A(title|titel)\s*[:：]\s*", re.IGNORECASE)
_AROUND = " \t#*_`\"'“”„‟‘’‚«»‹›「」。."


class Titles:
    """The requests for titles of this process. `begin` and the cancels never wait."""

    def __init__(self, providers: Providers, named: Callable[[int, uuid.UUID, str], None]) -> None:
        self._providers = providers
        self._named = named
        self._asking: dict[uuid.UUID, tuple[int, asyncio.Task[None]]] = {}
        self._counting: set[asyncio.Task[None]] = set()
        self._limits: dict[Endpoint, Limits] = {}

    def begin(self, live: LiveGeneration, allowed: Callable[[int], bool] = lambda _user: True) -> None:
        """An answer has ended: ask for the title, unless there is one, or this person has used up what is allowed."""
        if live.conversation not in self._asking and wanted(live) and allowed(live.user):
            task = asyncio.get_running_loop().create_task(self._ask(live), name=f"title {live.conversation}")
            self._asking[live.conversation] = live.user, task
            task.add_done_callback(lambda _task: self._asking.pop(live.conversation, None))

    def cancel_of(self, user: int) -> None:
        """The last page of this person went, or they ask something."""
        for person, task in list(self._asking.values()):
            if person == user:
                task.cancel()

    def cancel(self, conversation: uuid.UUID) -> None:
        """It was deleted."""
        if conversation in self._asking:
            self._asking[conversation][1].cancel()

    async def close(self) -> None:
        """Cancel all; their sockets to the provider are closed when it returns, and what they took is stored."""
        tasks = [task for _user, task in self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._counting, return_exceptions=True)

    async def _ask(self, live: LiveGeneration) -> None:
        try:
            if not await in_database(_may_be_asked, live.conversation):
                return
            async with asyncio.timeout(PATIENCE):
                title = clean(await self._said(live))
            named = await in_database(_name, live.conversation, title)
            if named:
                self._named(live.user, live.conversation, title)
        except (ProviderError, *AWAY) as error:
            logger.info("conversation %s has no title of the model: %s", live.conversation, why(error))

    async def _said(self, live: LiveGeneration) -> str:
        """What the model answers. Raises ProviderError."""
        line, turns = Line(), _turns(live)
        limits = self._limits.setdefault(live.endpoint, Limits())
        try:
            await limits.ask(self._providers.take(live.endpoint), live.started.model.name, turns, TOKENS, line)
        finally:
            self._providers.give_back(live.endpoint)
            self._count(live, turns, line)
        return line.text

    def _count(self, live: LiveGeneration, turns: list[dict[str, str]], line: Line) -> None:
        """However it ended. A task of its own, because what asked may be cancelled."""
        task = asyncio.get_running_loop().create_task(_store(live, turns, line), name=f"title's tokens {live.id}")
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)


async def _store(live: LiveGeneration, turns: list[dict[str, str]], line: Line) -> None:
    """What the provider said; else an estimate, of what it began to answer."""
    said_in, said_out = line.tokens
    estimated = line.asked and (said_in is None or said_out is None)
    if estimated:
        said_in, said_out = rough(sum(len(turn["content"]) for turn in turns)), rough(line.length) + line.thoughts
    logger.info("title of %s: %s tokens in, %s out", live.conversation, said_in or 0, said_out or 0)
    try:
        await in_database(usage.store_title, live.id, said_in or 0, said_out or 0, estimated=estimated)
    except AWAY as error:
        logger.warning("the tokens of a title were not stored: %s", type(error).__name__)


def wanted(live: LiveGeneration) -> bool:
    """Whether this end is one after which the model is asked."""
    outcome = live.lifecycle.outcome
    return (
        settings.CHAT_TITLES
        and outcome is not None
        and outcome.status == Status.COMPLETE
        and live.lifecycle.written > 0
        and live.started.conversation.title_source == TitleSource.PROMPT
    )


def clean(said: str) -> str:
    """One line of at most 60 characters, without what models put around it; "" if nothing usable is left."""
    line = next((line for line in said.replace("\0", "").splitlines() if line.strip(_AROUND)), "")
    if "<" in line:  # a model that thinks aloud, or writes markup
        return ""
    bare = _LABEL.sub("", line.strip(_AROUND)).strip(_AROUND)
    return title_from_prompt("".join(character for character in bare if character.isprintable()))


def _turns(live: LiveGeneration) -> list[dict[str, str]]:
    question = live.started.answer.parent
    return [
        {"role": "user", "content": question.content[:SHOWN] if question is not None else ""},
        {"role": "assistant", "content": live.lifecycle.text[:SHOWN]},
        {"role": "user", "content": INSTRUCTION},
    ]


def _may_be_asked(conversation: uuid.UUID) -> bool:
    """Nobody has named it yet, and its model was not asked too often."""
    unnamed = Conversation.objects.filter(pk=conversation, title_source=TitleSource.PROMPT, deleted_at=None)
    asked = Generation.objects.filter(conversation_id=conversation, title_tokens_in__isnull=False)
    return unnamed.exists() and asked.count() < ATTEMPTS


def _name(conversation: uuid.UUID, title: str) -> bool:
    """False if there is no title, or the conversation was named by the person or deleted in the meantime."""
    if not title:
        return False
    unnamed = Conversation.objects.filter(pk=conversation, title_source=TitleSource.PROMPT, deleted_at=None)
    return unnamed.update(title=title, title_source=TitleSource.MODEL) == 1
