"""One live generation: the task that reads the provider, and the one that nobody cancels, which ends it.

Order of an end: cancel upstream, write, tell viewers. `stop` decides the outcome and cancels the reader before any I/O;
the text that arrives after it is not taken. Everything here runs on the event loop.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings

from conversations.delivery import end_notice
from conversations.delivery.broadcast import Broadcast
from conversations.models import UsageSource
from conversations.people.sessions import SignedIn
from conversations.protocol import events
from conversations.providers.client import Provider
from conversations.providers.endpoints import Endpoint
from conversations.providers.model_catalog import catalog
from conversations.providers.sse import ProviderError
from conversations.providers.token_counter import rough
from conversations.rendering.cache import html_cache
from conversations.rules.ending import Ended, Ending
from conversations.rules.lifecycle import Lifecycle, Limits
from conversations.rules.status import EndReason, Outcome
from conversations.rules.stop_request import SERVER, StopRequest
from conversations.rules.viewers import GracePeriods, Viewers
from conversations.storage.journal import Journal
from conversations.telemetry import generation_log

from .started import Started

logger = logging.getLogger(__name__)

T = TypeVar("T")

INTERNAL = "internal"
"""Code of an error that is none of the provider's."""

CLOSING = 2.0
"""Seconds that closing the connection to the provider may take before the end is written without it."""

SAVING_AFTER = 0.3
"""Seconds that the write of an end may take before the page is told that it is being saved."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a generation needs of its process."""

    journal: Journal
    provider: Provider
    trusted: Callable[[], bool]
    resync: Callable[["LiveGeneration"], None]
    over: Callable[["LiveGeneration"], None]


class LiveGeneration:
    """A generation that this process runs. Made by the supervisor, which holds it until `over`."""

    def __init__(self, started: Started, user: int, command: uuid.UUID, around: Surroundings) -> None:
        self.id = started.generation.pk
        self.message = started.answer.pk
        self.conversation = started.conversation.pk
        self.title = started.conversation.title
        self.user = user
        self.command = command
        now = time.monotonic()
        self.endpoint = started.model.endpoint
        self.lifecycle = Lifecycle(_limits(self.endpoint), now, started.answer.content)
        grace_periods = GracePeriods.from_preference(
            started.when_leaving, settings.CHAT_LEAVE_GRACE, settings.CHAT_RECONNECT_GRACE
        )
        self.viewers = Viewers(grace_periods)
        self.sessions: dict[str, SignedIn] = {}  # of those who were there, by digest
        self.broadcast = Broadcast(self.id, self.message, started.answer.content, around.trusted)
        self.started = started
        self._around = around
        self._fresh: list[str] = []
        self._usage: tuple[int, int] | None = None
        self._stopper: StopRequest | None = None
        self._stop_requested_at: datetime | None = None
        self._upstream_closed_at: datetime | None = None
        self.saved = False
        self._reader: asyncio.Task[None] | None = None
        self._read_out = asyncio.get_running_loop().create_future()
        self._cancelled = False
        self._watchdog: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._around.journal.open(self.id, self.lifecycle.length)
        self.task = asyncio.get_running_loop().create_task(self._run(), name=f"generation {self.id}")

    def stop(self, reason: EndReason, by: StopRequest | None = SERVER) -> None:
        """End it now. The upstream is closed within the next turns of the loop, before anything is written. `by`: None
        where the database knows who asked."""
        if self.lifecycle.stop(reason, time.monotonic()):
            self._stop_requested_at = datetime.now(UTC)
            self._stopper = by
            self.broadcast.tell(events.stopping(self.id))
        self._cancel()

    def lose(self) -> None:
        """Another process has ended it: the pages get what was saved there, and nothing of what is only here."""
        self.broadcast.silence()
        self.stop(EndReason.SERVER_LOST)

    def fail(self, outcome: Outcome) -> None:
        self.lifecycle.fail(outcome, time.monotonic())
        self._cancel()

    # What the provider says (llm.Sink)

    def opened(self) -> None:
        self.lifecycle.open(time.monotonic())

    def delta(self, text: str, pieces: int) -> None:
        self._keep(self.lifecycle.add_text(text, time.monotonic(), pieces))

    def _keep(self, text: str) -> None:
        if text:
            self._fresh.append(text)
        if self.lifecycle.outcome is not None and self.lifecycle.outcome.reason == EndReason.TOO_LARGE:
            self._cancel()

    def taken(self) -> float:
        self._watch_closer()
        if not self._fresh:
            return 0.0
        text = "".join(self._fresh)
        self._fresh.clear()
        self._around.journal.append(self.id, text)
        return self.broadcast.feed(text)

    def alive(self, thoughts: int = 0, characters: int = 0) -> None:
        self.lifecycle.record_activity(time.monotonic(), thoughts, characters)

    def finished(self, reason: str) -> None:
        self._keep(self.lifecycle.finish(reason, time.monotonic()))
        self._watch()

    def usage(self, tokens_in: int, tokens_out: int) -> None:
        self._usage = (tokens_in, tokens_out)

    # The two tasks

    async def _run(self) -> None:
        """Read, then end. Nobody cancels this one, so what was written is saved whatever happens to the reader."""
        try:
            if self.lifecycle.outcome is None:
                await self._until_read()
            self._settle_outcome()
            await self._end()
        finally:
            if self._watchdog is not None:
                self._watchdog.cancel()
            self._around.over(self)

    async def _until_read(self) -> None:
        """Return when the reader is done, or was cancelled and takes too long to close its connection."""
        self._reader = asyncio.get_running_loop().create_task(self._read(), name=f"provider {self.id}")
        self._reader.add_done_callback(lambda _: self._give_up_reading())
        self._watch()
        await self._read_out
        if not self._reader.done():
            logger.warning("generation %s: its connection to the provider does not close", self.id)
            _closing.add(self._reader)
            self._reader.add_done_callback(_closing.discard)
        elif self.lifecycle.opened_at is not None or self._stop_requested_at is not None:
            self._upstream_closed_at = datetime.now(UTC)

    def _give_up_reading(self) -> None:
        if not self._read_out.done():
            self._read_out.set_result(None)

    async def _read(self) -> None:
        try:
            started = self.started
            temperature = started.conversation.temperature
            await self._around.provider.stream(started.model.name, started.turns, self, temperature=temperature)
        except ProviderError as error:
            self._learn(error)
            self.lifecycle.fail(error.outcome, time.monotonic())
        except Exception:
            logger.exception("generation %s: reading the provider failed", self.id)
            self.lifecycle.fail(Outcome(EndReason.PROVIDER_FAILED, code=INTERNAL), time.monotonic())
        else:
            self._keep(self.lifecycle.end_of_stream(time.monotonic()))
            self.taken()

    def _learn(self, error: ProviderError) -> None:
        """A refusal that names the model's context spares the next request the same one."""
        if error.window is not None:
            catalog.learn_window(self.endpoint, self.started.model.name, error.window)

    def _cancel(self) -> None:
        """Once only: a second cancel could interrupt the closing of the connection."""
        if self._reader is not None and not self._cancelled:
            self._cancelled = True
            self._reader.cancel()
            asyncio.get_running_loop().call_later(CLOSING, self._give_up_reading)

    def _watch(self) -> None:
        """Look again when the provider's patience is used up; tokens move that moment, so no timer is set per token."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        now = time.monotonic()
        if self.lifecycle.expire(now):
            self._cancel()
        elif self._reader is not None and not self._reader.done():
            loop = asyncio.get_running_loop()
            self._watchdog = loop.call_later(max(0.0, self.lifecycle.deadline() - now), self._watch)

    def _watch_closer(self) -> None:
        """The first token brings the deadline nearer: from then on silence counts, and the timer is set for later."""
        if self._watchdog is not None and self.lifecycle.deadline() < self._watchdog.when():
            self._watch()

    def _settle_outcome(self) -> None:
        if self.lifecycle.outcome is None:  # the reader was cancelled by somebody else than `_cancel`
            self.lifecycle.fail(Outcome(EndReason.PROVIDER_FAILED, code="cancelled"), time.monotonic())

    async def _end(self) -> None:
        """Write, then tell. What is for the pages may fail; the text is under way to the database by then."""
        saving = self._around.journal.end(ending := self._ending_at_any_rate())
        self._at_any_rate(self.broadcast.settle)
        done, _pending = await asyncio.wait({saving}, timeout=SAVING_AFTER)
        if not done:
            self.broadcast.tell(events.saving(self.id))
        ended = await saving
        self.saved = True
        self._at_any_rate(lambda: generation_log.ended(self.started.generation, self.lifecycle, ending, ended))
        await self._tell(ended)

    async def _tell(self, ended: Ended) -> None:
        status = ended.status.value
        bare = end_notice.Words(status, ended.reason, ended.text)
        if ended.won:
            self._at_any_rate(lambda: self.broadcast.settle(certain=True))
            await self.broadcast.shown()
            if (html := self.broadcast.html) is not None:
                html_cache.store(self.message, html)
            self.broadcast.end(status, ended.reason, self._at_any_rate(lambda: self._words(ended)) or bare)
        elif ended.reason == EndReason.DELETED:  # there is nothing left to show anew
            self.broadcast.end(status, ended.reason, bare)
        else:
            self._around.resync(self)

    def _at_any_rate(self, work: Callable[[], T]) -> T | None:
        """An end is told, if not in full, whatever goes wrong on the way."""
        try:
            return work()
        except Exception:
            logger.exception("generation %s: its end is not as it should be", self.id)
            return None

    def _words(self, ended: Ended) -> end_notice.Words:
        generation, answer = self.started.generation, self.started.answer
        generation.status = answer.status = ended.status
        generation.end_reason = ended.reason
        outcome = self.lifecycle.outcome
        generation.retry_after = outcome.retry_after if outcome else None
        generation.error_code = outcome.code if outcome else ""
        answer.content = ended.text
        return end_notice.words(generation, self.started.versions(answer), self.broadcast.languages)

    def _ending_at_any_rate(self) -> Ending:
        return self._at_any_rate(self._ending) or _bare_ending(self.id, self.lifecycle)

    def _ending(self) -> Ending:
        outcome = self.lifecycle.outcome
        if outcome is None:
            raise RuntimeError("a generation ends after its outcome is decided")
        run = self.started.generation
        run.tokens_in, run.tokens_out, run.usage_source = self._tokens()
        run.cost = run.price()
        return Ending(
            generation=self.id,
            status=outcome.status,
            reason=outcome.reason,
            text=self.lifecycle.text,
            characters=self.lifecycle.written,
            code=outcome.code,
            detail=outcome.detail,
            retry_after=outcome.retry_after,
            opened_at=_clock(self.lifecycle.opened_at),
            first_token_at=_clock(self.lifecycle.first_token_at),
            stop_requested_at=self._stop_requested_at,
            stop_origin=self._stopper.origin.value if self._stopper else "",
            stopped_by=self._stopper.person if self._stopper else None,
            upstream_closed_at=self._upstream_closed_at,
            tokens_in=run.tokens_in,
            tokens_out=run.tokens_out,
            thought_tokens=self.lifecycle.thought_tokens,
            usage_source=run.usage_source,
            cost=run.cost,
        )

    def _tokens(self) -> tuple[int | None, int | None, str]:
        """(in, out, source). Usage comes behind the last token, so a stopped answer never gets it: then a rough figure,
        but not fewer than pieces arrived, until `usage` has counted."""
        if self._usage is not None:
            return *self._usage, UsageSource.PROVIDER
        if self.lifecycle.opened_at is None:
            return None, None, ""
        sent = sum(len(turn["content"]) for turn in self.started.turns)
        written = max(self.lifecycle.tokens, rough(self.lifecycle.written))
        return rough(sent), written + self.lifecycle.thought_tokens, UsageSource.ESTIMATED


_closing: set[asyncio.Task[None]] = set()
"""Readers that were cancelled and have not ended yet, held here because asyncio would not."""


def unlaunched(started: Started) -> Ending:
    """The end of a generation that stands in the database and could not be run."""
    reason, text = EndReason.PROVIDER_FAILED, started.answer.content
    detail = "it could not be begun"
    return Ending(started.generation.pk, reason.status, reason, text, 0, code=INTERNAL, detail=detail)


def _bare_ending(generation: uuid.UUID, lifecycle: Lifecycle) -> Ending:
    """What is left to say of an end if its figures cannot be had."""
    outcome = lifecycle.outcome or Outcome(EndReason.PROVIDER_FAILED, code=INTERNAL)
    return Ending(generation, outcome.status, outcome.reason, lifecycle.text, lifecycle.written, outcome.code)


def _limits(endpoint: Endpoint) -> Limits:
    return Limits(
        first_token=endpoint.first_token_timeout or settings.CHAT_FIRST_TOKEN_TIMEOUT,
        silence=endpoint.silence_timeout or settings.CHAT_SILENCE_TIMEOUT,
        total=settings.CHAT_RUN_TIMEOUT,
        max_characters=settings.CHAT_MAX_ANSWER,
        no_text=settings.CHAT_WORDLESS_TIMEOUT,
    )


def _clock(at: float | None) -> datetime | None:
    """A moment of the monotonic clock as a time of day."""
    return None if at is None else datetime.now(UTC) - timedelta(seconds=time.monotonic() - at)
