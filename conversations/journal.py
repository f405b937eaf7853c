"""Saves all live text of this process, renews its lease and hears of stops: one statement per tick.

The journal has a thread and a connection of its own. Nobody cancels it and nothing on the event loop waits for it but
the end of a generation, so neither a Stop nor another person's slow query can lose a save. While the database is away,
text and ends wait in memory and the connection is tried again at every tick.
"""

import logging
import threading
import time
import uuid
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice

import psycopg
from django.conf import settings
from django.db import connections
from psycopg.errors import DeadlockDetected

from . import journal_sql as sql
from .outcomes import EndReason, Status

logger = logging.getLogger(__name__)

HITCH = 1.0
"""Seconds without a tick after which the database is no longer steady: it may have stood still, for others, too."""


AT_ONCE = 50
"""Ends that are written in one transaction, when so many wait."""


@dataclass(slots=True)
class Ending:
    """What the terminal transition writes. Times are aware datetimes or None."""

    generation: uuid.UUID
    status: Status
    reason: EndReason
    text: str
    characters: int
    code: str = ""
    detail: str = ""
    retry_after: int | None = None
    opened_at: datetime | None = None
    first_token_at: datetime | None = None
    stop_requested_at: datetime | None = None
    stop_origin: str = ""
    stopped_by: int | None = None
    upstream_closed_at: datetime | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    thought_tokens: int = 0
    usage_source: str = ""
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a generation stands after an attempt to end it. `won` is False where somebody else had ended it before."""

    won: bool
    status: Status
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a tick reports of one generation of this process: who asked to stop it, who watches it elsewhere."""

    generation: uuid.UUID
    stop_reason: str
    watched_elsewhere: bool
    left_elsewhere: str


@dataclass(slots=True)
class Tick:
    """One successful tick. `began` is on `time.monotonic`'s clock."""

    began: float
    known: set[uuid.UUID]
    asked: list[Asked]


@dataclass(slots=True)
class _Live:
    """Text of one generation that the database does not have yet. Pieces before `start` are saved."""

    start: int
    parts: list[str] = field(default_factory=list)
    length: int = 0


class Journal:
    """`append`, `open`, `end` and `close` may be called from any thread and return at once."""

    def __init__(self, process: uuid.UUID, loop: AbstractEventLoop, on_tick: Callable[[Tick], None]) -> None:
        self.process = process
        self._loop = loop
        self._on_tick = on_tick
        self._lock = threading.Lock()
        self._live: dict[uuid.UUID, _Live] = {}
        self._endings: dict[uuid.UUID, tuple[Ending, Future[Ended]]] = {}
        self._wake = threading.Event()
        self._closing = False
        self._connection: psycopg.Connection | None = None
        self._contact_at = time.monotonic()
        self._steady_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Connect, register this process and begin to tick. Raises psycopg.Error."""
        self._connect()
        self._thread.start()

    def open(self, generation: uuid.UUID, start: int) -> None:
        """From now on the text of `generation` is saved, from character `start` on."""
        with self._lock:
            self._live[generation] = _Live(start)

    def append(self, generation: uuid.UUID, text: str) -> None:
        with self._lock:
            live = self._live.get(generation)
            if live is not None:
                live.parts.append(text)
                live.length += len(text)

    def end(self, ending: Ending) -> "Future[Ended]":
        """Ask for the terminal transition. The future has the result as soon as the database does, however long that
        takes; cancelling it changes nothing."""
        future: Future[Ended] = self._loop.create_future()
        with self._lock:
            self._live.pop(ending.generation, None)
            self._endings[ending.generation] = (ending, future)
        self._wake.set()
        return future

    def away(self) -> float:
        """Seconds since the database last took a tick."""
        return time.monotonic() - self._contact_at

    def steady(self) -> float:
        """Seconds for which every tick has succeeded without a hitch. A sweeper that just got the database back must
        not judge others by leases that nobody could renew."""
        since = self._steady_since
        return 0.0 if since is None or self.away() > HITCH else time.monotonic() - since

    def close(self) -> None:
        """Write what is left, once, and let the thread end. `join` waits for it."""
        self._closing = True
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """True if the thread ended within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        due = time.monotonic()
        while not (self._closing and not self._endings):
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()
            now = time.monotonic()
            try:
                self._write_endings()
                if now >= due:
                    due = now + settings.CHAT_SAVE_INTERVAL
                    self._tick()
            except psycopg.Error as error:
                self._lost(error)
            except Exception:  # nothing may end this thread: without it nothing is saved any more
                logger.exception("the journal failed")
            else:
                continue
            if self._closing:
                break
            due = time.monotonic() + settings.CHAT_SAVE_INTERVAL
            self._sleep_until(due)
        if self._connection is not None:
            self._connection.close()

    def _sleep_until(self, due: float) -> None:
        """Wait out the time between two attempts; an ending that comes in meanwhile does not shorten it."""
        time.sleep(max(0.0, due - time.monotonic()))

    def _connect(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            parameters = connections["default"].get_connection_params()
            for name in ("pool", "cursor_factory", "context", "prepare_threshold"):
                parameters.pop(name, None)
            connection = psycopg.connect(**parameters, autocommit=True)
            try:
                sql.register(connection, self.process)
            except psycopg.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _lost(self, error: psycopg.Error) -> None:
        if self._steady_since is not None:
            logger.warning("the database is away: %s", type(error).__name__)
        self._steady_since = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tick(self) -> None:
        began = time.monotonic()
        connection = self._connect()
        with self._lock:
            taken = {key: (live.start, "".join(live.parts), len(live.parts)) for key, live in self._live.items()}
        pieces = [(key, start, text) for key, (start, text, _count) in taken.items() if text]
        try:
            rows = sql.tick(connection, self.process, pieces)
        except psycopg.IntegrityError as error:  # one was deleted in this moment; the next tick finds it gone
            logger.info("a tick has to be repeated: %s", type(error).__name__)
            return
        with self._lock:
            for key, (start, text, count) in taken.items():
                live = self._live.get(key)
                if live is not None and text:
                    live.start = start + len(text)
                    del live.parts[:count]
        now = time.monotonic()
        if self._steady_since is None or now - self._contact_at > HITCH:
            self._steady_since = now
        self._contact_at = now
        known = set(taken)
        self._tell(self._on_tick, Tick(began, known, [Asked(*row) for row in rows]))

    def _write_endings(self) -> None:
        while True:
            with self._lock:
                waiting = list(islice(self._endings.values(), AT_ONCE))
            if not waiting:
                return
            written = self._write_together([ending for ending, _ in waiting])
            for ending, future in waiting:
                ended = self._ended(ending) if ending.generation in written else self._write(ending)
                with self._lock:
                    self._endings.pop(ending.generation, None)
                self._tell(_resolve, future, ended)

    def _write_together(self, endings: list[Ending]) -> set[uuid.UUID]:
        """Write many in one transaction. Returns those that this call ended; the rest has to be looked at singly."""
        if len(endings) == 1:
            return set()
        try:
            won = sql.finish_all(self._connect(), endings, self.process)
        except (psycopg.DataError, UnicodeError, DeadlockDetected) as error:
            logger.info("%d endings have to be written singly: %s", len(endings), type(error).__name__)
            return set()
        return {ending.generation for ending, mine in zip(endings, won, strict=True) if mine}

    def _write(self, ending: Ending) -> Ended:
        connection = self._connect()
        try:
            won = sql.finish(connection, ending, self.process)
        except (psycopg.DataError, UnicodeError) as error:  # one bad text must not hold up every save behind it
            logger.warning("generation %s: %s", ending.generation, type(error).__name__)
            ending.text = ending.text.encode("utf-8", "replace").decode().replace("\0", "")
            won = sql.finish(connection, ending, self.process)
        if won:
            return self._ended(ending)
        standing = sql.standing(connection, ending.generation)
        if standing is None:  # deleted meanwhile: there is nobody left to tell
            return Ended(False, Status.INTERRUPTED, EndReason.DELETED, "")
        status, reason, text = standing
        if status == Status.STREAMING:  # it belongs to another process by now, which will end it
            return Ended(False, Status.INTERRUPTED, EndReason.SERVER_LOST, text)
        return Ended(False, Status(status), reason, text)

    def _ended(self, ending: Ending) -> Ended:
        return Ended(True, ending.status, ending.reason, ending.text)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop has closed: the process is ending
            logger.debug("nobody listens to the journal any more")


def _resolve(future: "Future[Ended]", ended: Ended) -> None:
    if not future.done():
        future.set_result(ended)
