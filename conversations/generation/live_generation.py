"""One live generation: reads the provider, saves and shows the text, and ends once.

Order of an end: cancel upstream, write, notify viewers. `stop` decides the outcome and cancels the reader before any
I/O; text that arrives after it is dropped. Everything here runs on the event loop.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from django.conf import settings

from conversations.delivery import end_event
from conversations.delivery.broadcast import Broadcast
from conversations.people.socket_sessions import SignedIn
from conversations.protocol import events
from conversations.providers.client import ProviderClient
from conversations.providers.endpoints import Endpoint
from conversations.rendering.cache import html_cache
from conversations.rules.ending_record import Ended, Ending
from conversations.rules.lifecycle import Lifecycle, Limits
from conversations.rules.status import EndReason, Outcome
from conversations.rules.stop_request import SERVER, StopRequest
from conversations.rules.viewers import GracePeriods, Viewers
from conversations.storage.journal import Journal
from conversations.telemetry import generation_log

from . import ending_builder
from .provider_reader import ProviderReader
from .stored_start import Started

logger = logging.getLogger(__name__)

T = TypeVar("T")

SAVING_NOTICE_DELAY = 0.3
"""Seconds that writing an end may take before the pages show that it is being saved."""


@dataclass(frozen=True, slots=True)
class ProcessContext:
    """What a generation needs from its process. `trusted`: whether the process may still own it. `resync`: load it
    again on all pages. `ended`: called once, when it is over."""

    journal: Journal
    provider: ProviderClient
    trusted: Callable[[], bool]
    resync: Callable[["LiveGeneration"], None]
    ended: Callable[["LiveGeneration"], None]


class LiveGeneration:
    """A generation that this process runs. The supervisor makes it and holds it until `ProcessContext.ended`.

    `sessions`: who has viewed it, by the digest of the session. `saved`: whether its end is in the database. `task`:
    done when it is over; never cancelled.
    """

    def __init__(self, started: Started, user: int, command: uuid.UUID, context: ProcessContext) -> None:
        self.id = started.generation.pk
        self.message = started.answer.pk
        self.conversation = started.conversation.pk
        self.title = started.conversation.title
        self.user = user
        self.command = command
        self.endpoint = started.model.endpoint
        self.started = started
        self.lifecycle = Lifecycle(_limits(self.endpoint), time.monotonic(), started.answer.content)
        self.viewers = Viewers(
            GracePeriods.from_preference(started.when_leaving, settings.CHAT_LEAVE_GRACE, settings.CHAT_RECONNECT_GRACE)
        )
        self.sessions: dict[str, SignedIn] = {}
        self.broadcast = Broadcast(self.id, self.message, started.answer.content, context.trusted)
        self.reader = ProviderReader(started, self.lifecycle, context.provider, self._add_text)
        self.saved = False
        self.task: asyncio.Task[None] | None = None
        self._context = context
        self._stopped_by: StopRequest | None = None
        self._stop_requested_at: datetime | None = None
        self._upstream_closed_at: datetime | None = None

    def start(self) -> None:
        self._context.journal.open(self.id, self.lifecycle.length)
        self.task = asyncio.get_running_loop().create_task(self._run(), name=f"generation {self.id}")

    def stop(self, reason: EndReason, by: StopRequest | None = SERVER) -> None:
        """End it now. The upstream is closed within the next turns of the loop, before anything is written. `by`: None
        if the database knows who asked. Does nothing once the outcome is decided."""
        if self.lifecycle.stop(reason, time.monotonic()):
            self._stop_requested_at = datetime.now(UTC)
            self._stopped_by = by
            self.broadcast.push(events.stopping(self.id))
        self.reader.cancel()

    def abandon(self) -> None:
        """Give it up, because another process has ended it: the pages get what was saved there, and nothing that exists
        only here."""
        self.broadcast.stop_showing()
        self.stop(EndReason.SERVER_LOST)

    def fail(self, outcome: Outcome) -> None:
        """End it now with an error. Does nothing once the outcome is decided."""
        self.lifecycle.fail(outcome, time.monotonic())
        self.reader.cancel()

    def _add_text(self, text: str) -> float:
        """Save and show text. Returns how many seconds to read nothing."""
        self._context.journal.append(self.id, text)
        return self.broadcast.feed(text)

    async def _run(self) -> None:
        """Read, then end. This task is never cancelled, so the text is saved whatever happens to the reader."""
        try:
            if self.lifecycle.outcome is None:
                await self._read()
            self._ensure_outcome()
            await self._end()
        finally:
            self._context.ended(self)

    async def _read(self) -> None:
        closed = await self.reader.run()
        asked = self.lifecycle.opened_at is not None or self._stop_requested_at is not None
        if closed and asked:
            self._upstream_closed_at = datetime.now(UTC)

    def _ensure_outcome(self) -> None:
        if self.lifecycle.outcome is None:  # something other than `ProviderReader.cancel` cancelled the reader
            self.lifecycle.fail(Outcome(EndReason.PROVIDER_FAILED, code="cancelled"), time.monotonic())

    # --- the end -----------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Write, then notify. Sending to the pages may fail: by then the text is queued for the database."""
        ending = self._ending()
        saving = self._context.journal.end(ending)
        self._try(self.broadcast.finish_text)
        done, _pending = await asyncio.wait({saving}, timeout=SAVING_NOTICE_DELAY)
        if not done:
            self.broadcast.push(events.saving(self.id))
        ended = await saving
        self.saved = True
        self._try(lambda: generation_log.ended(self.started.generation, self.lifecycle, ending, ended))
        await self._notify_viewers(ended)

    def _ending(self) -> Ending:
        """The record of the end, without figures if they cannot be determined: the end is saved in any case."""
        return self._try(self._full_ending) or ending_builder.bare(self.id, self.lifecycle)

    def _full_ending(self) -> Ending:
        return ending_builder.full(
            self.started,
            self.lifecycle,
            self.reader.usage_reported,
            stopped_by=self._stopped_by,
            stop_requested_at=self._stop_requested_at,
            upstream_closed_at=self._upstream_closed_at,
        )

    async def _notify_viewers(self, ended: Ended) -> None:
        status = ended.status.value
        bare = end_event.EndTexts(status, ended.reason, ended.text)
        if ended.won:
            self._try(lambda: self.broadcast.finish_text(saved=True))
            await self.broadcast.wait_rendered()
            if (html := self.broadcast.html) is not None:
                html_cache.store(self.message, html)
            self.broadcast.end(status, ended.reason, self._try(lambda: self._end_texts(ended)) or bare)
        elif ended.reason == EndReason.DELETED:  # there is nothing left to load again
            self.broadcast.end(status, ended.reason, bare)
        else:
            self._context.resync(self)

    def _end_texts(self, ended: Ended) -> end_event.EndTexts:
        generation, answer = self.started.generation, self.started.answer
        generation.status = answer.status = ended.status
        generation.end_reason = ended.reason
        outcome = self.lifecycle.outcome
        generation.retry_after = outcome.retry_after if outcome else None
        generation.error_code = outcome.code if outcome else ""
        answer.content = ended.text
        return end_event.render(generation, self.started.versions(answer), self.broadcast.languages)

    def _try(self, work: Callable[[], T]) -> T | None:
        """The result of `work`, or None if it fails: no failure may keep an end from being saved and shown."""
        try:
            return work()
        except Exception:
            logger.exception("generation %s: its end is incomplete", self.id)
            return None


def _limits(endpoint: Endpoint) -> Limits:
    return Limits(
        first_token=endpoint.first_token_timeout or settings.CHAT_FIRST_TOKEN_TIMEOUT,
        silence=endpoint.silence_timeout or settings.CHAT_SILENCE_TIMEOUT,
        total=settings.CHAT_RUN_TIMEOUT,
        max_characters=settings.CHAT_MAX_ANSWER,
        no_text=settings.CHAT_WORDLESS_TIMEOUT,
    )
