"""The text of live generations that the database does not have yet, and how a tick saves it."""

import logging
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from . import journal_sql, postgres_text
from .journal_connection import is_unavailable

logger = logging.getLogger(__name__)

Piece = tuple[uuid.UUID, int, str]
"""(generation, index of its first character, text)."""


@dataclass(slots=True)
class _Unsaved:
    """The unsaved text of one generation. Everything before the character `start` is saved."""

    start: int
    parts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The unsaved text of one generation at one moment, from its first `count` parts."""

    start: int
    text: str
    count: int


class LiveText:
    """The unsaved text of all live generations. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unsaved: dict[uuid.UUID, _Unsaved] = {}

    def __bool__(self) -> bool:
        return bool(self._unsaved)

    def open(self, generation: uuid.UUID, start: int) -> None:
        """Collect the text of `generation`, from character `start` on."""
        with self._lock:
            self._unsaved[generation] = _Unsaved(start)

    def append(self, generation: uuid.UUID, text: str) -> None:
        """Add text, unless the generation was closed."""
        with self._lock:
            unsaved = self._unsaved.get(generation)
            if unsaved is not None:
                unsaved.parts.append(text)

    def close(self, generation: uuid.UUID) -> None:
        """Forget the generation: its end saves the whole text."""
        with self._lock:
            self._unsaved.pop(generation, None)

    def snapshot(self) -> dict[uuid.UUID, Snapshot]:
        """The text of all open generations that is unsaved now."""
        with self._lock:
            return {
                generation: Snapshot(unsaved.start, "".join(unsaved.parts), len(unsaved.parts))
                for generation, unsaved in self._unsaved.items()
            }

    def mark_saved(self, generation: uuid.UUID, snapshot: Snapshot) -> None:
        """Note that the text of `snapshot` is in the database."""
        with self._lock:
            if (unsaved := self._unsaved.get(generation)) is not None:
                unsaved.start = snapshot.start + len(snapshot.text)
                del unsaved.parts[: snapshot.count]


def save(
    connection: psycopg.Connection, process: uuid.UUID, pieces: Sequence[Piece]
) -> tuple[list[journal_sql.Row], set[uuid.UUID]]:
    """Tick with these pieces. Returns the tick's rows, and the generations whose pieces are saved.

    If the database refuses the pieces together, each is tried alone: one may belong to a generation that was deleted at
    this moment. Raises psycopg.Error if the database is unavailable.
    """
    try:
        return journal_sql.tick(connection, process, pieces), {generation for generation, _start, _text in pieces}
    except psycopg.Error as error:
        if is_unavailable(connection, error):
            raise
        logger.info("a tick has to be repeated: %s", type(error).__name__)
    saved = {piece[0] for piece in pieces if _save_alone(connection, process, piece)}
    return journal_sql.tick(connection, process, []), saved


def _save_alone(connection: psycopg.Connection, process: uuid.UUID, piece: Piece) -> bool:
    try:
        journal_sql.tick(connection, process, [piece])
    except psycopg.Error as error:
        if is_unavailable(connection, error):
            raise
        return False
    return True


def storable(snapshots: dict[uuid.UUID, Snapshot]) -> list[Piece]:
    """The pieces to save; generations without new text have none."""
    return [
        (generation, snapshot.start, postgres_text.text(snapshot.text))
        for generation, snapshot in snapshots.items()
        if snapshot.text
    ]
