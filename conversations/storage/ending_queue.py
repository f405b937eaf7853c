"""The ends of generations that are not saved yet, and how they are written.

An end that the database refuses is retried later and delays no other.
"""

import logging
import threading
import time
import uuid
from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from django.conf import settings

from conversations.rules.ending_record import Ended, Ending
from conversations.rules.status import EndReason, Status
from conversations.telemetry import metrics

from . import journal_sql
from .journal_connection import JournalConnection, is_unavailable
from .storable_ending import bare, storable_ending

logger = logging.getLogger(__name__)

MAX_BATCH = 50
"""Ends in one transaction."""

MAX_RETRY_DELAY = 60.0
"""Seconds until an end that the database refused is tried again; the delay doubles up to this."""

Resolve = Callable[["Future[Ended]", Ended], None]


@dataclass(slots=True)
class _Waiting:
    """An end that is not saved yet, the number of failed attempts, and when the next one is due (monotonic)."""

    ending: Ending
    future: "Future[Ended]"
    failed: int = 0
    due: float = 0.0

    def postpone(self) -> None:
        self.failed += 1
        self.due = time.monotonic() + min(MAX_RETRY_DELAY, settings.CHAT_SAVE_INTERVAL * 2.0**self.failed)


class EndingQueue:
    """`add` and `next_due` may be called from any thread; `write` belongs to the journal's thread."""

    def __init__(self, database: JournalConnection, resolve: Resolve) -> None:
        """`resolve` hands the result to the future of an end; it is called on the journal's thread."""
        self._database = database
        self._resolve = resolve
        self._lock = threading.Lock()
        self._waiting: dict[uuid.UUID, _Waiting] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, ending: Ending, future: "Future[Ended]") -> None:
        with self._lock:
            self._waiting[ending.generation] = _Waiting(ending, future)

    def next_due(self) -> float:
        """When the next attempt is due, on the monotonic clock; infinity if nothing waits."""
        with self._lock:
            return min((waiting.due for waiting in self._waiting.values()), default=float("inf"))

    def write(self, *, last: bool) -> None:
        """Write every end that is due, or all of them with `last`. Ends that failed before are written after the
        others, one by one. Raises psycopg.Error if the database is unavailable."""
        while fresh := self._select(lambda waiting: not waiting.failed)[:MAX_BATCH]:
            self._write_together(fresh)
        for waiting in self._select(lambda waiting: last or waiting.due <= time.monotonic()):
            self._write_alone(waiting)

    def _select(self, wanted: Callable[[_Waiting], bool]) -> list[_Waiting]:
        with self._lock:
            return [waiting for waiting in self._waiting.values() if wanted(waiting)]

    def _write_together(self, batch: list[_Waiting]) -> None:
        """Write several ends in one transaction. Each one that this did not store is then written alone."""
        connection = self._database.get()
        won = [False] * len(batch)
        try:
            for waiting in batch:
                waiting.ending = storable_ending(waiting.ending)
            if len(batch) > 1:
                won = journal_sql.finish_all(connection, [waiting.ending for waiting in batch], self._database.process)
        except Exception as error:
            for waiting in batch:
                waiting.failed += 1
            if is_unavailable(connection, error):
                raise
            logger.info("%d endings have to be written singly: %s", len(batch), type(error).__name__)
            return
        for waiting, mine in zip(batch, won, strict=True):
            if mine:
                self._complete(waiting, _as_requested(waiting.ending))
            else:
                self._write_alone(waiting)

    def _write_alone(self, waiting: _Waiting) -> None:
        """Write an end in full; if that fails, only what has to be stored in any case; if that fails too, postpone
        it."""
        connection = self._database.get()
        for ending in (waiting.ending, bare(waiting.ending)):
            try:
                self._complete(waiting, _finish(connection, ending, self._database.process))
            except Exception as error:
                if is_unavailable(connection, error):
                    waiting.postpone()  # if this one breaks connections, the others come first
                    raise
                logger.warning("the end of generation %s is refused: %s", ending.generation, type(error).__name__)
            else:
                return
        metrics.ENDINGS_REFUSED.inc()
        waiting.postpone()

    def _complete(self, waiting: _Waiting, ended: Ended) -> None:
        with self._lock:
            self._waiting.pop(waiting.ending.generation, None)
        self._resolve(waiting.future, ended)


def _finish(connection: psycopg.Connection, ending: Ending, process: uuid.UUID) -> Ended:
    """End the generation, or return how another process ended it."""
    if journal_sql.finish(connection, ending, process):
        return _as_requested(ending)
    stored = journal_sql.stored_state(connection, ending.generation)
    if stored is None:  # deleted in the meantime: there is nobody to notify
        return Ended(False, Status.INTERRUPTED, EndReason.DELETED, "")
    status, reason, text = stored
    return Ended(False, Status(status), reason, text)


def _as_requested(ending: Ending) -> Ended:
    return Ended(True, ending.status, ending.reason, ending.text)
