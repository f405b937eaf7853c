"""Automatic titles: after a conversation's first complete answer, its model is asked for a title.

A stop never causes a request, and a prompt never waits behind a title: the request is cancelled when the person sends
something or closes their last page. Until there is a title from the model, and if that fails, the first words of the
prompt are the title. A title that a person chose stays. The request's tokens are added to those of the answer.
"""

import asyncio
import logging
import re
import uuid
from collections.abc import Callable

from django.conf import settings

from conversations.models import Conversation, Generation, TitleSource
from conversations.models.conversation import title_from_prompt
from conversations.providers.client_pool import ClientPool
from conversations.providers.connection_error_text import describe
from conversations.providers.endpoints import Endpoint
from conversations.providers.short_answer import ShortAnswer, ShortRequests
from conversations.providers.token_counter import estimated_tokens
from conversations.rules.provider_error_outcomes import ProviderError
from conversations.rules.status import Status
from conversations.storage import token_usage
from conversations.storage.db_threads import UNAVAILABLE, in_database

from .live_generation import LiveGeneration

logger = logging.getLogger(__name__)

TITLE_TIMEOUT = 10.0
"""Seconds after which a request for a title is cancelled."""

MAX_ATTEMPTS = 2
"""Requests per conversation: a second one is made after another answer if the first was cancelled or failed."""

MAX_TOKENS = 24
"""Tokens that a title may have."""

MAX_EXCERPT = 2000
"""Characters of the prompt and of the answer that the request contains."""

INSTRUCTION = (
    "Give this conversation a title of at most six words, in the language of the conversation. "
    "Answer with the title alone, on one line, without quotation marks."
)
_LABEL = re.compile(r"\A(title|titel)\s*[:：]\s*", re.IGNORECASE)
_DECORATION = " \t#*_`\"'“”„‟‘’‚«»‹›「」。."


class AutoTitles:
    """The requests for titles of this process. Lives on the event loop; only `close` waits.

    `on_title` is called with the owner, the conversation and its new title.
    """

    def __init__(self, providers: ClientPool, on_title: Callable[[int, uuid.UUID, str], None]) -> None:
        self._providers = providers
        self._on_title = on_title
        self._requests: dict[uuid.UUID, tuple[int, asyncio.Task[None]]] = {}
        self._saving_usage: set[asyncio.Task[None]] = set()
        self._limits: dict[Endpoint, ShortRequests] = {}

    def request(self, live: LiveGeneration, allowed: Callable[[int], bool] = lambda _user: True) -> None:
        """Ask for a title after an answer has ended, if the conversation needs one and `allowed(user)` is true."""
        if live.conversation not in self._requests and needs_title(live) and allowed(live.user):
            task = asyncio.get_running_loop().create_task(self._request(live), name=f"title {live.conversation}")
            self._requests[live.conversation] = live.user, task
            task.add_done_callback(lambda _task: self._requests.pop(live.conversation, None))

    def cancel_for_person(self, user: int) -> None:
        """Cancel a person's requests: their last page has gone, or they have sent a prompt."""
        for person, task in list(self._requests.values()):
            if person == user:
                task.cancel()

    def cancel_for_conversation(self, conversation: uuid.UUID) -> None:
        """Cancel the request for this conversation: it was deleted, or another process answers in it."""
        if conversation in self._requests:
            self._requests[conversation][1].cancel()

    async def close(self) -> None:
        """Cancel all requests. When it returns, their connections are closed and their tokens are saved."""
        tasks = [task for _user, task in self._requests.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._saving_usage, return_exceptions=True)

    async def _request(self, live: LiveGeneration) -> None:
        try:
            if not await in_database(_may_ask, live.conversation):
                return
            async with asyncio.timeout(TITLE_TIMEOUT):
                title = clean(await self._reply(live))
            if await in_database(_save_title, live.conversation, title):
                self._on_title(live.user, live.conversation, title)
        except (ProviderError, *UNAVAILABLE) as error:
            logger.info("conversation %s has no title from its model: %s", live.conversation, describe(error))

    async def _reply(self, live: LiveGeneration) -> str:
        """What the model replies. Raises ProviderError."""
        line, turns = ShortAnswer(), _turns(live)
        limits = self._limits.setdefault(live.endpoint, ShortRequests())
        try:
            await limits.ask(self._providers.acquire(live.endpoint), live.started.model.name, turns, MAX_TOKENS, line)
        finally:
            self._providers.release(live.endpoint)
            self._save_usage(live, turns, line)
        return line.text

    def _save_usage(self, live: LiveGeneration, turns: list[dict[str, str]], line: ShortAnswer) -> None:
        """Save the usage in a task of its own, because the one that made the request may be cancelled."""
        task = asyncio.get_running_loop().create_task(_store_usage(live, turns, line), name=f"title's tokens {live.id}")
        self._saving_usage.add(task)
        task.add_done_callback(self._saving_usage.discard)


async def _store_usage(live: LiveGeneration, turns: list[dict[str, str]], line: ShortAnswer) -> None:
    """Store the tokens that the provider reported, else an estimate from what was sent and what had arrived."""
    tokens_in, tokens_out = line.tokens
    estimated = line.asked and (tokens_in is None or tokens_out is None)
    if estimated:
        tokens_in, tokens_out = (
            estimated_tokens(sum(len(turn["content"]) for turn in turns)),
            estimated_tokens(line.length) + line.thoughts,
        )
    logger.info("title of %s: %s tokens in, %s out", live.conversation, tokens_in or 0, tokens_out or 0)
    try:
        await in_database(token_usage.store_title, live.id, tokens_in or 0, tokens_out or 0, estimated=estimated)
    except UNAVAILABLE as error:
        logger.warning("the tokens of a title were not stored: %s", type(error).__name__)


def needs_title(live: LiveGeneration) -> bool:
    """Whether the model is asked after this generation: it is complete, has text, and nobody has chosen a title."""
    outcome = live.lifecycle.outcome
    return (
        settings.CHAT_TITLES
        and outcome is not None
        and outcome.status == Status.COMPLETE
        and live.lifecycle.written > 0
        and live.started.conversation.title_source == TitleSource.PROMPT
    )


def clean(reply: str) -> str:
    """The title in a model's reply: one line of up to 60 characters without labels, quotes or markup. "" if the reply
    has none."""
    line = next((line for line in reply.replace("\0", "").splitlines() if line.strip(_DECORATION)), "")
    if "<" in line:  # a model that shows its thinking, or writes markup
        return ""
    bare = _LABEL.sub("", line.strip(_DECORATION)).strip(_DECORATION)
    return title_from_prompt("".join(character for character in bare if character.isprintable()))


def _turns(live: LiveGeneration) -> list[dict[str, str]]:
    question = live.started.answer.parent
    return [
        {"role": "user", "content": question.content[:MAX_EXCERPT] if question is not None else ""},
        {"role": "assistant", "content": live.lifecycle.text[:MAX_EXCERPT]},
        {"role": "user", "content": INSTRUCTION},
    ]


def _may_ask(conversation: uuid.UUID) -> bool:
    """Whether nobody has chosen a title, and fewer than `MAX_ATTEMPTS` requests were made."""
    unnamed = Conversation.objects.filter(pk=conversation, title_source=TitleSource.PROMPT, deleted_at=None)
    asked = Generation.objects.filter(conversation_id=conversation, title_tokens_in__isnull=False)
    return unnamed.exists() and asked.count() < MAX_ATTEMPTS


def _save_title(conversation: uuid.UUID, title: str) -> bool:
    """False if `title` is empty, or the person has chosen a title or deleted the conversation in the meantime."""
    if not title:
        return False
    unnamed = Conversation.objects.filter(pk=conversation, title_source=TitleSource.PROMPT, deleted_at=None)
    return unnamed.update(title=title, title_source=TitleSource.MODEL) == 1
