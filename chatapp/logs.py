"""How the log is written."""

import logging
import time


class OneLine(logging.Formatter):
    """Every message on one line, whatever a library put into it; only a traceback takes more."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        return " ".join(super().formatMessage(record).split("\n"))


class Seldom(logging.Filter):
    """For a library that logs every failed attempt with its traceback: one line a minute says as much."""

    EVERY = 60.0  # seconds

    def __init__(self) -> None:
        super().__init__()
        self._due = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + self.EVERY
        if record.exc_info and record.exc_info[0]:
            record.msg, record.args = "%s: %s", (record.getMessage(), record.exc_info[0].__name__)
            record.exc_info = None
        return True
