"""Reads one answer from its provider, within time limits, until the stream ends or is cancelled."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable

from conversations.providers.catalog.model_catalog import catalog
from conversations.providers.client import ProviderClient
from conversations.rules.lifecycle import Lifecycle
from conversations.rules.provider_error_outcomes import ProviderError
from conversations.rules.status import EndReason, Outcome

from .ending_builder import INTERNAL
from .stored_start import Started

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT = 2.0
"""Seconds that closing the connection to the provider may take. Then the end is written without waiting for it."""


class ProviderReader:
    """Takes what the provider sends (`client.Sink`) into the lifecycle, which decides when reading has to end.

    `on_text` gets the text that belongs to the answer, and returns how many seconds to read nothing. Lives on the event
    loop.
    """

    def __init__(
        self, started: Started, lifecycle: Lifecycle, provider: ProviderClient, on_text: Callable[[str], float]
    ) -> None:
        self.usage_reported: tuple[int, int] | None = None
        self._id: uuid.UUID = started.generation.pk
        self._started = started
        self._lifecycle = lifecycle
        self._provider = provider
        self._on_text = on_text
        self._text: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._done_or_given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cancelled = False
        self._watchdog: asyncio.TimerHandle | None = None

    async def run(self) -> bool:
        """Read to the end. Returns whether the connection is closed: False if reading was cancelled and the connection
        did not close within `CLOSE_TIMEOUT` seconds. Call once; must not be cancelled, use `cancel`."""
        self._task = asyncio.get_running_loop().create_task(self._read(), name=f"provider {self._id}")
        self._task.add_done_callback(lambda _: self._give_up())
        self._watch()
        try:
            await self._done_or_given_up
        finally:
            self._stop_watching()
        if self._task.done():
            return True
        logger.warning("generation %s: its connection to the provider does not close", self._id)
        _closing.add(self._task)
        self._task.add_done_callback(_closing.discard)
        return False

    def cancel(self) -> None:
        """Stop reading. Cancels once only: a second cancel could interrupt the closing of the connection."""
        if self._task is not None and not self._cancelled:
            self._cancelled = True
            self._task.cancel()
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._give_up)

    def _give_up(self) -> None:
        if not self._done_or_given_up.done():
            self._done_or_given_up.set_result(None)

    async def _read(self) -> None:
        try:
            started = self._started
            temperature = started.conversation.temperature
            await self._provider.stream(started.model.name, started.turns, self, temperature=temperature)
        except ProviderError as error:
            self._learn(error)
            self._lifecycle.fail(error.outcome, time.monotonic())
        except Exception:
            logger.exception("generation %s: reading the provider failed", self._id)
            self._lifecycle.fail(Outcome(EndReason.PROVIDER_FAILED, code=INTERNAL), time.monotonic())
        else:
            self._keep(self._lifecycle.end_of_stream(time.monotonic()))
            self.batch_read()

    def _learn(self, error: ProviderError) -> None:
        """Learn the context window from a refusal that names it, so that the next request is not refused as well."""
        if error.window is not None:
            catalog.learn_window(self._started.model.endpoint, self._started.model.name, error.window)

    # --- what the provider sends (client.Sink) -----------------------------------------------------------------------

    def opened(self) -> None:
        self._lifecycle.open(time.monotonic())

    def delta(self, text: str, chunks: int) -> None:
        self._keep(self._lifecycle.add_text(text, time.monotonic(), chunks))

    def alive(self, thoughts: int = 0, characters: int = 0) -> None:
        self._lifecycle.record_activity(time.monotonic(), thoughts, characters)

    def finished(self, reason: str) -> None:
        self._keep(self._lifecycle.finish(reason, time.monotonic()))
        self._watch()

    def usage(self, tokens_in: int, tokens_out: int) -> None:
        self.usage_reported = (tokens_in, tokens_out)

    def batch_read(self) -> float:
        self._watch_closer()
        if not self._text:
            return 0.0
        text = "".join(self._text)
        self._text.clear()
        return self._on_text(text)

    def _keep(self, text: str) -> None:
        if text:
            self._text.append(text)
        outcome = self._lifecycle.outcome
        if outcome is not None and outcome.reason == EndReason.TOO_LARGE:
            self.cancel()

    # --- time limits -------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Cancel if the provider has used up its time, else check again when it will have. Tokens move that moment, so
        no timer is set for each token."""
        self._stop_watching()
        now = time.monotonic()
        if self._lifecycle.expire(now):
            self.cancel()
        elif self._task is not None and not self._task.done():
            loop = asyncio.get_running_loop()
            self._watchdog = loop.call_later(max(0.0, self._lifecycle.deadline() - now), self._watch)

    def _watch_closer(self) -> None:
        """The first token brings the deadline forward: from then on the shorter limit for silence applies."""
        if self._watchdog is not None and self._lifecycle.deadline() < self._watchdog.when():
            self._watch()

    def _stop_watching(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None


_closing: set[asyncio.Task[None]] = set()
"""Readers that were cancelled and have not ended yet. Held here because asyncio holds only weak references."""
