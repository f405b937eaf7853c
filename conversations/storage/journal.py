"""Saves the text of all live generations of this process, renews its lease and learns of stops: one statement per tick.

The journal has its own thread and connection. It is never cancelled, and nothing on the event loop waits for it except
the end of a generation, so neither a Stop nor a slow query of somebody else can lose a save. While the database is
unavailable, text and ends wait in memory, and every tick tries to connect again.

Ticks come before ends, and a refused end is retried later, so an end that the database refuses delays nothing else.
"""

import logging
import threading
import time
import uuid
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from django.conf import settings

from conversations.rules.ending_record import Ended, Ending

from . import journal_sql, live_text
from .ending_queue import EndingQueue
from .journal_connection import JournalConnection
from .live_text import LiveText

logger = logging.getLogger(__name__)

MAX_TICK_DELAY = 1.0
"""Seconds that a tick may be late before the contact no longer counts as steady: the database may have stood still, for
other processes as well."""

IDLE_INTERVAL = 2.0
"""Seconds between two ticks while there is nothing to save and no generation streams. Well below a lease."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What a tick returns about one generation of this process.

    `stop_reason`: why somebody asked to stop it, or "". `watched_elsewhere`: other processes show it.
    `silent_elsewhere`: one of those has only stopped renewing its presence. `left_elsewhere`: why the last viewer of
    another process left, or "".
    """

    generation: uuid.UUID
    stop_reason: str
    watched_elsewhere: bool
    silent_elsewhere: bool
    left_elsewhere: str


@dataclass(slots=True)
class Tick:
    """A successful tick. `began` is on the monotonic clock. `known`: the generations that were open here by then."""

    began: float
    known: set[uuid.UUID]
    signals: list[Signals]


class Journal:
    """`open`, `append`, `end` and `close` may be called from any thread and return at once."""

    def __init__(self, process: uuid.UUID, loop: AbstractEventLoop, on_tick: Callable[[Tick], None]) -> None:
        """`on_tick` is called on the event loop after each successful tick."""
        self.process = process
        self._loop = loop
        self._on_tick = on_tick
        self._busy_interval = min(settings.CHAT_SAVE_INTERVAL, settings.CHAT_LEASE / 4)
        self._idle_interval = max(self._busy_interval, min(IDLE_INTERVAL, settings.CHAT_LEASE / 4))
        self._database = JournalConnection(process, MAX_TICK_DELAY + self._busy_interval)
        self._texts = LiveText()
        self._endings = EndingQueue(self._database, lambda future, ended: self._call(_resolve, future, ended))
        self._wake = threading.Event()
        self._closing = False
        self._ticked_at = 0.0
        self._retry_at = 0.0
        self._streaming = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Connect, register this process and begin to tick. Blocks. Raises psycopg.Error."""
        self._database.get()
        self._thread.start()

    def open(self, generation: uuid.UUID, start: int) -> None:
        """Save the text of `generation` from now on. `start`: the index of the first character to come."""
        self._texts.open(generation, start)
        self._wake.set()  # an idle journal ticks rarely

    def append(self, generation: uuid.UUID, text: str) -> None:
        """Add text for the next tick."""
        self._texts.append(generation, text)

    def end(self, ending: Ending) -> "Future[Ended]":
        """Save the end of a generation. The future completes as soon as it is saved, however long that takes;
        cancelling it changes nothing. Belongs to the event loop."""
        future: Future[Ended] = self._loop.create_future()
        # Queued before its text is dropped, so that the journal is busy throughout.
        self._endings.add(ending, future)
        self._texts.close(ending.generation)
        self._wake.set()
        return future

    def unavailable_for(self) -> float:
        """Seconds since the database last accepted a tick, less those in which none was due."""
        return self._database.unavailable_for()

    def is_idle(self) -> bool:
        """Whether ticks are rare because there is nothing to save."""
        return self._database.is_idle()

    def steady_for(self) -> float:
        """Seconds for which every tick has succeeded in time."""
        return self._database.steady_for()

    def close(self) -> None:
        """Write what is left, once, and end the thread. `join` waits for it."""
        self._closing = True
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """Block for up to `timeout` seconds. True if the thread has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # --- the thread and its schedule ---------------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            self._wake.wait(max(0.0, self._next_turn() - time.monotonic()))
            self._wake.clear()
            closing = self._closing
            if closing or time.monotonic() >= self._next_turn():
                self._turn(last=closing)
        self._database.close()

    def _next_turn(self) -> float:
        """When the next turn is due, on the monotonic clock. While the database is unavailable, a new end does not
        bring the next attempt forward."""
        return max(self._retry_at, min(self._ticked_at + self._interval(), self._endings.next_due()))

    def _interval(self) -> float:
        """Seconds between two ticks. A process without its lock counts as dead as soon as it misses a few."""
        busy = self._texts or self._endings or self._streaming or not self._database.locked
        return self._busy_interval if busy else self._idle_interval

    def _turn(self, *, last: bool) -> None:
        """Tick, then write ends: no end may delay the lease and the text of others. `last`: no other turn follows."""
        due = time.monotonic() >= self._ticked_at + self._interval()
        if not due or self._attempt(self._tick) or last:
            self._attempt(lambda: self._endings.write(last=last))

    def _attempt(self, work: Callable[[], None]) -> bool:
        """Do some work. Return False if the database is unavailable. Nothing may end this thread: without it nothing is
        saved."""
        try:
            work()
        except psycopg.Error as error:
            self._database.drop(error)
            self._retry_at = time.monotonic() + self._busy_interval
            return False
        except Exception:
            logger.exception("the journal failed")
        return True

    def _tick(self) -> None:
        began = self._ticked_at = time.monotonic()
        connection = self._database.get()
        if not self._database.locked:  # a reaper may have tried the lock when this process registered
            self._database.locked = journal_sql.hold(connection, self.process)
        snapshots = self._texts.snapshot()
        rows, saved = live_text.save(connection, self.process, live_text.storable(snapshots))
        for generation in saved:
            self._texts.mark_saved(generation, snapshots[generation])
        self._streaming = bool(rows)
        self._database.record_contact(self._interval() - self._busy_interval)
        self._call(self._on_tick, Tick(began, set(snapshots), [Signals(*row) for row in rows]))

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        """Call `callback` on the event loop."""
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed: the process is ending
            logger.debug("the event loop of the journal is closed")


def _resolve(future: "Future[Ended]", ended: Ended) -> None:
    if not future.done():
        future.set_result(ended)
