"""How the log is written: a line for people, or a JSON object for programs. Neither holds rows of the database."""

import json
import logging
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


class _Brief(logging.Formatter):
    """Of every exception only the first line of what it says: PostgreSQL's next ones quote the row that it refused, and
    with it what somebody wrote."""

    def formatException(self, ei: Any) -> str:
        """A traceback like Python's own, the innermost cause first."""
        return "\n\n".join(reversed([_told(error) for error in _chain(ei[1])]))


class OneLine(_Brief):
    """Every message on one line, whatever a library put into it; only a traceback takes more."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        return plain(super().formatMessage(record))


class Json(_Brief):
    """Every record as one JSON object on one line; `extra={"fields": {…}}` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, traceback and all."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Seldom(logging.Filter):
    """For a library that logs every failed attempt with its traceback: one line a minute says as much."""

    EVERY = 60.0  # seconds

    def __init__(self) -> None:
        super().__init__()
        self._due = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if record.levelno < logging.WARNING:
            return True
        if now < self._due:
            return False
        self._due = now + self.EVERY
        if record.exc_info and record.exc_info[0]:
            record.msg, record.args = "%s: %s", (record.getMessage(), record.exc_info[0].__name__)
            record.exc_info = None
        return True


class Strangers(logging.Filter):
    """What anybody can cause without an account: a line a minute for each kind, without a traceback, that names the
    setting which is to blame if the stranger is one's own proxy."""

    EVERY = 60.0  # seconds
    KINDS = ("django.security.", "chatapp.security.")
    MEANING = {
        "DisallowedHost": "a request was refused: its Host is in none of ALLOWED_ORIGINS. A proxy has to pass on the "
        "Host that the browser sent, with its port.",
        "SuspiciousSession": "a session could not be read. All processes need the same SECRET_KEY.",
    }

    def __init__(self) -> None:
        super().__init__()
        self._due: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(self.KINDS):
            return True
        now = time.monotonic()
        if now < self._due.get(record.name, 0.0):
            return False
        self._due[record.name] = now + self.EVERY
        self._tell(record)
        return True

    def _tell(self, record: logging.LogRecord) -> None:
        meaning = self.MEANING.get(record.name.rpartition(".")[2], "")
        said = record.getMessage()
        if "Origin checking failed" in said:
            meaning = f"{said} ALLOWED_ORIGINS has to name the address that people open."
        record.msg, record.args, record.exc_info = meaning or said, (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"


def plain(text: str) -> str:
    """On one line, and without what a terminal would obey."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, what caused that."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _told(error: BaseException) -> str:
    said = plain(str(error).partition("\n")[0])
    stack = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{stack}{type(error).__module__}.{type(error).__qualname__}: {said}"
