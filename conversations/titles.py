"""Automatic titles: after a conversation's first answer its model is asked for one, for as long as somebody is there.

Until then, and wherever that fails, the title is the first words of the prompt. What a person calls it stays.
"""

import asyncio
import logging
import re
import uuid
from collections.abc import Callable

from django.conf import settings

from .chunks import ProviderError
from .database import AWAY, in_database
from .generation import LiveGeneration
from .models import Conversation, Generation, TitleSource
from .models.conversation import title_from
from .outcomes import EndReason, Status
from .providers import Providers

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a title may take."""

TOKENS = 24
ENOUGH = 400
"""Characters of an answer that are kept, whatever the endpoint makes of `TOKENS`."""

SHOWN = 2000
"""Characters of prompt and answer that the model gets to see."""

INSTRUCTION = (
    "Give this conversation a title of at most six words, in the language of the conversation. "
    "Answer with the title alone, on one line, without quotation marks."
)
LIMITS = ("max_tokens", "max_completion_tokens")
"""Names of the same limit: newer models of OpenAI refuse the first one, others do not know the second."""

STILL_THERE = frozenset(
    {EndReason.FINISHED, EndReason.LENGTH, EndReason.STOPPED, EndReason.SUPERSEDED, EndReason.STOPPED_BY_ADMIN}
)
"""Ends after which a title is wanted. After the others nobody waits for it."""

_LABEL = re.compile(r"\A(title|titel)\s*[:：]\s*", re.IGNORECASE)
_AROUND = " \t#*_`\"'“”„‟‘’‚«»‹›「」。."


class Titles:
    """The requests for titles of this process. `begin` and the cancels never wait."""

    def __init__(self, providers: Providers, named: Callable[[int, uuid.UUID, str], None]) -> None:
        self._providers = providers
        self._named = named
        self._asking: dict[uuid.UUID, tuple[int, asyncio.Task[None]]] = {}

    def begin(self, live: LiveGeneration, allowed: Callable[[int], bool] = lambda _user: True) -> None:
        """An answer has ended: ask for the title, unless there is one, or this person has used up what is allowed."""
        if live.conversation not in self._asking and wanted(live) and allowed(live.user):
            task = asyncio.get_running_loop().create_task(self._ask(live), name=f"title {live.conversation}")
            self._asking[live.conversation] = live.user, task
            task.add_done_callback(lambda _task: self._asking.pop(live.conversation, None))

    def cancel_of(self, user: int) -> None:
        """The last page of this person went."""
        for person, task in list(self._asking.values()):
            if person == user:
                task.cancel()

    def cancel(self, conversation: uuid.UUID) -> None:
        """It was deleted."""
        if conversation in self._asking:
            self._asking[conversation][1].cancel()

    async def close(self) -> None:
        """Cancel all; their sockets to the provider are closed when it returns."""
        tasks = [task for _user, task in self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, live: LiveGeneration) -> None:
        try:
            if not await in_database(_is_first, live.conversation, live.id):
                return
            async with asyncio.timeout(PATIENCE):
                title = clean(await self._said(live))
            named = await in_database(_name, live.conversation, title)
            if named:
                self._named(live.user, live.conversation, title)
        except (ProviderError, *AWAY) as error:
            logger.info(
                "conversation %s has no title of the model: %s", live.conversation, error or type(error).__name__
            )

    async def _said(self, live: LiveGeneration) -> str:
        """What the model answers. Raises ProviderError."""
        provider = self._providers.take(live.endpoint)
        try:
            for limit in LIMITS:
                line = _Line()
                try:
                    await provider.stream(live.started.model.name, _turns(live), line, **{limit: TOKENS})
                except ProviderError as error:
                    if error.outcome.code != "400" or limit == LIMITS[-1]:
                        raise
                else:
                    logger.info("title of %s: %s tokens in, %s out", live.conversation, *line.tokens)
                    return "".join(line.texts)
        finally:
            self._providers.give_back(live.endpoint)
        return ""


class _Line:
    """Gathers a short answer (llm.Sink)."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.tokens: tuple[int | None, int | None] = (None, None)
        self._length = 0

    def opened(self) -> None: ...

    def delta(self, text: str, pieces: int) -> None:
        if self._length < ENOUGH:
            self.texts.append(text)
            self._length += len(text)

    def alive(self, thoughts: int = 0, characters: int = 0) -> None: ...

    def finished(self, reason: str) -> None: ...

    def usage(self, tokens_in: int | None, tokens_out: int | None) -> None:
        self.tokens = tokens_in, tokens_out

    def taken(self) -> float:
        return 0.0


def wanted(live: LiveGeneration) -> bool:
    """Whether this end is one after which the model is asked."""
    outcome = live.lifecycle.outcome
    return (
        settings.CHAT_TITLES
        and outcome is not None
        and outcome.reason in STILL_THERE
        and live.lifecycle.written > 0
        and live.started.conversation.title_source == TitleSource.PROMPT
    )


def clean(said: str) -> str:
    """One line of at most 60 characters, without what models put around it; "" if nothing usable is left."""
    line = next((line for line in said.replace("\0", "").splitlines() if line.strip(_AROUND)), "")
    if "<" in line:  # a model that thinks aloud, or writes markup
        return ""
    bare = _LABEL.sub("", line.strip(_AROUND)).strip(_AROUND)
    return title_from("".join(character for character in bare if character.isprintable()))


def _turns(live: LiveGeneration) -> list[dict[str, str]]:
    question = live.started.answer.parent
    return [
        {"role": "user", "content": question.content[:SHOWN] if question is not None else ""},
        {"role": "assistant", "content": live.lifecycle.text[:SHOWN]},
        {"role": "user", "content": INSTRUCTION},
    ]


def _is_first(conversation: uuid.UUID, generation: uuid.UUID) -> bool:
    """Nobody has named it yet, and no earlier answer has had its chance."""
    earlier = Generation.objects.filter(conversation_id=conversation, characters__gt=0).exclude(pk=generation)
    unnamed = Conversation.objects.filter(pk=conversation, title_source=TitleSource.PROMPT, deleted_at=None)
    return unnamed.exists() and not earlier.exclude(status__in=[Status.STREAMING, Status.ERROR]).exists()


def _name(conversation: uuid.UUID, title: str) -> bool:
    """False if there is no title, or the conversation was named by the person or deleted in the meantime."""
    if not title:
        return False
    unnamed = Conversation.objects.filter(pk=conversation, title_source=TitleSource.PROMPT, deleted_at=None)
    return unnamed.update(title=title, title_source=TitleSource.MODEL) == 1
