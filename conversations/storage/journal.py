"""Saves all live text of this process, renews its lease and hears of stops: one statement per tick.

The journal has a thread and a connection of its own. Nobody cancels it and nothing on the event loop waits for it but
the end of a generation, so neither a Stop nor another person's slow query can lose a save. While the database is away,
text and ends wait in memory and the connection is tried again at every tick.

What the database refuses holds up nothing else: ticks come before ends, and an end that was refused goes aside.
"""

import logging
import threading
import time
import uuid
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from django.conf import settings
from django.db import connections

from conversations.rules.ending import Ended, Ending
from conversations.rules.status import EndReason, Status
from conversations.telemetry import metrics

from . import journal_sql as sql
from . import postgres_text

logger = logging.getLogger(__name__)


MAX_TICK_DELAY = 1.0
"""Seconds that a tick may be late until the database is no longer steady: it may have stood still, for others, too."""

IDLE_INTERVAL = 2.0
"""Seconds between two ticks while there is nothing to save and nothing to hear of. Well below a lease."""

MAX_BATCH = 50
"""Ends that are written in one transaction, when so many wait."""

MAX_RETRY_DELAY = 60.0
"""Seconds until an end that the database refuses is tried again, at most."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What a tick reports of one generation of this process: why somebody asked to stop it, whether other processes
    show it, whether one of them has only gone silent, and why the last of those that left did so."""

    generation: uuid.UUID
    stop_reason: str
    watched_elsewhere: bool
    silent_elsewhere: bool
    left_elsewhere: str


@dataclass(slots=True)
class Tick:
    """One successful tick. `began` is on `time.monotonic`'s clock."""

    began: float
    known: set[uuid.UUID]
    asked: list[Signals]


@dataclass(slots=True)
class _Live:
    """Text of one generation that the database does not have yet. Pieces before `start` are saved."""

    start: int
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Waiting:
    """An ending that is not saved yet, how often the attempt failed, and when the next one is due."""

    ending: Ending
    future: "Future[Ended]"
    failed: int = 0
    due: float = 0.0

    def put_off(self) -> None:
        self.failed += 1
        self.due = time.monotonic() + min(MAX_RETRY_DELAY, settings.CHAT_SAVE_INTERVAL * 2.0**self.failed)


class Journal:
    """`append`, `open`, `end` and `close` may be called from any thread and return at once."""

    def __init__(self, process: uuid.UUID, loop: AbstractEventLoop, on_tick: Callable[[Tick], None]) -> None:
        self.process = process
        self._loop = loop
        self._on_tick = on_tick
        self._lock = threading.Lock()
        self._live: dict[uuid.UUID, _Live] = {}
        self._endings: dict[uuid.UUID, _Waiting] = {}
        self._wake = threading.Event()
        self._closing = False
        self._connection: psycopg.Connection | None = None
        self._locked = False
        self._contact_at = time.monotonic()
        self._ticked_at = 0.0
        self._retry_at = 0.0
        self._rest = 0.0
        self._streaming = False
        self._steady_since: float | None = None
        self._busy_pause = min(settings.CHAT_SAVE_INTERVAL, settings.CHAT_LEASE / 4)
        self._idle_pause = max(self._busy_pause, min(IDLE_INTERVAL, settings.CHAT_LEASE / 4))
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Connect, register this process and begin to tick. Raises psycopg.Error."""
        self._connect()
        self._thread.start()

    def open(self, generation: uuid.UUID, start: int) -> None:
        """From now on the text of `generation` is saved, from character `start` on."""
        with self._lock:
            self._live[generation] = _Live(start)
        self._wake.set()  # a process that had nothing to save ticks seldom

    def append(self, generation: uuid.UUID, text: str) -> None:
        with self._lock:
            live = self._live.get(generation)
            if live is not None:
                live.parts.append(text)

    def end(self, ending: Ending) -> "Future[Ended]":
        """Ask for the terminal transition. The future has the result as soon as the database does, however long that
        takes; cancelling it changes nothing."""
        future: Future[Ended] = self._loop.create_future()
        with self._lock:
            self._live.pop(ending.generation, None)
            self._endings[ending.generation] = _Waiting(ending, future)
        self._wake.set()
        return future

    def away(self) -> float:
        """Seconds since the database last took a tick, without those in which there was no need for one."""
        return max(0.0, time.monotonic() - self._contact_at - self._rest)

    def idle(self) -> bool:
        """Whether there is nothing to save, so that ticks come seldom."""
        return self._rest > 0

    def steady(self) -> float:
        """Seconds for which every tick has succeeded without a hitch. Whoever just got the database back must not judge
        others by what nobody could renew."""
        since = self._steady_since
        return 0.0 if since is None or self._hitched() else time.monotonic() - since

    def close(self) -> None:
        """Write what is left, once, and let the thread end. `join` waits for it."""
        self._closing = True
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """True if the thread ended within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # --- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            self._wake.wait(max(0.0, self._next_turn() - time.monotonic()))
            self._wake.clear()
            closing = self._closing
            if closing or time.monotonic() >= self._next_turn():
                self._turn(last=closing)
        if self._connection is not None:
            self._connection.close()

    def _next_turn(self) -> float:
        """When there is something to do. While the database is away an ending that comes in does not shorten the wait
        between two attempts."""
        with self._lock:
            dues = [waiting.due for waiting in self._endings.values()]
        return max(self._retry_at, min([self._ticked_at + self._pause(), *dues]))

    def _pause(self) -> float:
        """Seconds between two ticks. Without its lock this process counts as dead as soon as it misses a few."""
        with self._lock:
            busy = bool(self._live or self._endings)
        return self._busy_pause if busy or self._streaming or not self._locked else self._idle_pause

    def _turn(self, *, last: bool) -> None:
        """The tick first: no ending may hold up the lease and the text of others. `last`: there is no other turn."""
        due = time.monotonic() >= self._ticked_at + self._pause()
        if not due or self._attempt(self._tick) or last:
            self._attempt(lambda: self._write_endings(last=last))

    def _attempt(self, work: Callable[[], None]) -> bool:
        """False if there is no database to go on with. Nothing may end this thread: without it nothing is saved."""
        try:
            work()
        except psycopg.Error as error:
            self._lost(error)
            return False
        except Exception:
            logger.exception("the journal failed")
        return True

    def _connect(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            parameters = connections["default"].get_connection_params()
            for name in ("pool", "cursor_factory", "context"):
                parameters.pop(name, None)
            connection = psycopg.connect(**parameters, autocommit=True)
            try:
                self._locked = sql.register(connection, self.process)
            except psycopg.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _lost(self, error: psycopg.Error) -> None:
        if self._steady_since is not None:
            logger.warning("the database is away: %s", type(error).__name__)
        self._steady_since = None
        self._locked = False
        self._retry_at = time.monotonic() + self._busy_pause
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _hitched(self) -> bool:
        return self.away() > MAX_TICK_DELAY + self._busy_pause

    # --- ticks -------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        began = self._ticked_at = time.monotonic()
        connection = self._connect()
        if not self._locked:  # a sweeper may have tried it in the moment when this process did
            self._locked = sql.hold(connection, self.process)
        with self._lock:
            taken = {key: (live.start, "".join(live.parts), len(live.parts)) for key, live in self._live.items()}
        pieces = [(key, start, postgres_text.text(text)) for key, (start, text, _count) in taken.items() if text]
        rows, saved = self._save(connection, pieces)
        with self._lock:
            for key in saved:
                start, text, count = taken[key]
                if (live := self._live.get(key)) is not None:
                    live.start = start + len(text)
                    del live.parts[:count]
        self._made_contact(streaming=bool(rows))
        self._tell(self._on_tick, Tick(began, set(taken), [Signals(*row) for row in rows]))

    def _save(
        self, connection: psycopg.Connection, pieces: list[tuple[uuid.UUID, int, str]]
    ) -> tuple[list[sql.Row], set[uuid.UUID]]:
        """Tick with these pieces; returns the rows, and whose pieces are saved. If they are refused together, each is
        tried alone: one may be of a generation that was deleted in this moment."""
        try:
            return sql.tick(connection, self.process, pieces), {key for key, _start, _text in pieces}
        except psycopg.Error as error:
            if is_away(connection, error):
                raise
            logger.info("a tick has to be repeated: %s", type(error).__name__)
        saved = {piece[0] for piece in pieces if self._save_alone(connection, piece)}
        return sql.tick(connection, self.process, []), saved

    def _save_alone(self, connection: psycopg.Connection, piece: tuple[uuid.UUID, int, str]) -> bool:
        try:
            sql.tick(connection, self.process, [piece])
        except psycopg.Error as error:
            if is_away(connection, error):
                raise
            return False
        return True

    def _made_contact(self, *, streaming: bool) -> None:
        if self._steady_since is None or self._hitched():
            self._steady_since = time.monotonic()
        self._contact_at = time.monotonic()
        self._streaming = streaming
        self._rest = self._pause() - self._busy_pause

    # --- endings -----------------------------------------------------------------------------------------------------

    def _write_endings(self, *, last: bool) -> None:
        """All that are due; `last`: the others, too. Those that failed before are written after the rest, singly."""
        while fresh := self._due(lambda waiting: not waiting.failed)[:MAX_BATCH]:
            self._write_together(fresh)
        for waiting in self._due(lambda waiting: last or waiting.due <= time.monotonic()):
            self._write_alone(waiting)

    def _due(self, wanted: Callable[[_Waiting], bool]) -> list[_Waiting]:
        with self._lock:
            return [waiting for waiting in self._endings.values() if wanted(waiting)]

    def _write_together(self, many: list[_Waiting]) -> None:
        """Write many in one transaction. Those that this did not end are looked at singly."""
        connection = self._connect()
        won = [False] * len(many)
        try:
            for waiting in many:
                waiting.ending = storable_ending(waiting.ending)
            if len(many) > 1:
                won = sql.finish_all(connection, [waiting.ending for waiting in many], self.process)
        except Exception as error:
            for waiting in many:
                waiting.failed += 1
            if is_away(connection, error):
                raise
            logger.info("%d endings have to be written singly: %s", len(many), type(error).__name__)
            return
        for waiting, mine in zip(many, won, strict=True):
            if mine:
                self._over(waiting, _as_asked(waiting.ending))
            else:
                self._write_alone(waiting)

    def _write_alone(self, waiting: _Waiting) -> None:
        """Write it in full, else in its barest form, else put it off."""
        connection = self._connect()
        for ending in (waiting.ending, bare(waiting.ending)):
            try:
                self._over(waiting, self._finish(connection, ending))
            except Exception as error:
                if is_away(connection, error):
                    waiting.put_off()  # should it be this one that breaks connections, the others come first
                    raise
                logger.warning("the end of generation %s is refused: %s", ending.generation, type(error).__name__)
            else:
                return
        metrics.ENDINGS_REFUSED.inc()
        waiting.put_off()

    def _finish(self, connection: psycopg.Connection, ending: Ending) -> Ended:
        if sql.finish(connection, ending, self.process):
            return _as_asked(ending)
        standing = sql.stored_state(connection, ending.generation)
        if standing is None:  # deleted meanwhile: there is nobody left to tell
            return Ended(False, Status.INTERRUPTED, EndReason.DELETED, "")
        status, reason, text = standing
        return Ended(False, Status(status), reason, text)

    def _over(self, waiting: _Waiting, ended: Ended) -> None:
        with self._lock:
            self._endings.pop(waiting.ending.generation, None)
        self._tell(_resolve, waiting.future, ended)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop has closed: the process is ending
            logger.debug("nobody listens to the journal any more")


def is_away(connection: psycopg.Connection, error: Exception) -> bool:
    """Whether the database is gone, rather than that it refused this one statement. It says so itself when it shuts
    down (SQLSTATE 57P), or says nothing at all."""
    if not isinstance(error, psycopg.Error):
        return False
    return connection.closed or error.sqlstate is None or error.sqlstate.startswith(("57P", "08"))


def _as_asked(ending: Ending) -> Ended:
    return Ended(True, ending.status, ending.reason, ending.text)


def _resolve(future: "Future[Ended]", ended: Ended) -> None:
    if not future.done():
        future.set_result(ended)
