"""Log formats (a line for people, a JSON object for programs) and filters. No line contains a row of the database."""

import json
import logging
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


class _FirstLines(logging.Formatter):
    """Keeps only the first line of each exception's message. PostgreSQL's further lines quote the refused row, and with
    it what somebody wrote."""

    def formatException(self, ei: Any) -> str:
        """A traceback in Python's form, the innermost cause first."""
        return "\n\n".join(reversed([_traceback(error) for error in _chain(ei[1])]))


class OneLine(_FirstLines):
    """One line for each record, whatever a library put into its message, plus the lines of a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without the traceback."""
        return plain(super().formatMessage(record))


class Json(_FirstLines):
    """One JSON object on one line for each record. `extra={"fields": {…}}` adds fields to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the traceback in its field `exception`."""
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


class RateLimit(logging.Filter):
    """Lets one warning per minute pass, without its traceback, for a library that logs every failed attempt."""

    INTERVAL = 60.0
    """Seconds between two warnings that pass."""

    def __init__(self) -> None:
        super().__init__()
        self._due = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if record.levelno < logging.WARNING:
            return True
        if now < self._due:
            return False
        self._due = now + self.INTERVAL
        if record.exc_info and record.exc_info[0]:
            record.msg, record.args = "%s: %s", (record.getMessage(), record.exc_info[0].__name__)
            record.exc_info = None
        return True


class AnonymousErrors(logging.Filter):
    """Lets one line per minute and logger pass, without a traceback, for errors that need no account to cause. The line
    names the setting to check if the installation's own proxy causes them."""

    INTERVAL = 60.0
    """Seconds between two lines of one logger that pass."""

    LOGGERS = ("django.security.", "chatapp.security.")
    EXPLANATIONS = {
        "DisallowedHost": "a request was refused: its Host is in none of ALLOWED_ORIGINS. A proxy has to pass on the "
        "Host that the browser sent, with its port.",
        "SuspiciousSession": "a session could not be read. All processes need the same SECRET_KEY.",
    }

    def __init__(self) -> None:
        super().__init__()
        self._due: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(self.LOGGERS):
            return True
        now = time.monotonic()
        if now < self._due.get(record.name, 0.0):
            return False
        self._due[record.name] = now + self.INTERVAL
        self._explain(record)
        return True

    def _explain(self, record: logging.LogRecord) -> None:
        explanation = self.EXPLANATIONS.get(record.name.rpartition(".")[2], "")
        said = record.getMessage()
        if "Origin checking failed" in said:
            explanation = f"{said} ALLOWED_ORIGINS has to contain the address that people open."
        record.msg, record.args, record.exc_info = explanation or said, (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"


def plain(text: str) -> str:
    """`text` on one line, without control characters that a terminal would obey."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, its cause, the cause of that, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _traceback(error: BaseException) -> str:
    said = plain(str(error).partition("\n")[0])
    stack = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{stack}{type(error).__module__}.{type(error).__qualname__}: {said}"
