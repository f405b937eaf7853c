"""The journal's database connection, and for how long it has worked without interruption.

Used by the journal's thread; `unavailable_for`, `steady_for` and `is_idle` may be called from any thread.
"""

import logging
import time
import uuid

import psycopg
from django.db import connections

from . import journal_sql

logger = logging.getLogger(__name__)


class JournalConnection:
    """Reconnects when needed, and holds the lock that shows that this process lives."""

    def __init__(self, process: uuid.UUID, max_delay: float) -> None:
        """`max_delay`: seconds after which a missing tick counts as an interruption."""
        self.process = process
        self.locked = False
        self._max_delay = max_delay
        self._connection: psycopg.Connection | None = None
        self._contact_at = time.monotonic()
        self._steady_since: float | None = None
        self._extra_interval = 0.0

    def get(self) -> psycopg.Connection:
        """The connection; a new one registers the process. Raises psycopg.Error."""
        if self._connection is None or self._connection.closed:
            parameters = connections["default"].get_connection_params()
            for name in ("pool", "cursor_factory", "context"):
                parameters.pop(name, None)
            connection = psycopg.connect(**parameters, autocommit=True)
            try:
                self.locked = journal_sql.register(connection, self.process)
            except psycopg.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def record_contact(self, extra_interval: float) -> None:
        """A tick succeeded. The next one is due `extra_interval` seconds later than while there is text to save."""
        if self._steady_since is None or self._is_late():
            self._steady_since = time.monotonic()
        self._contact_at = time.monotonic()
        self._extra_interval = extra_interval

    def drop(self, error: psycopg.Error) -> None:
        """The database is unavailable: close the connection, and log that once."""
        if self._steady_since is not None:
            logger.warning("the database is away: %s", type(error).__name__)
        self._steady_since = None
        self.locked = False
        self.close()
        self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def unavailable_for(self) -> float:
        """Seconds since the last successful tick, less those in which none was due."""
        return max(0.0, time.monotonic() - self._contact_at - self._extra_interval)

    def is_idle(self) -> bool:
        """Whether ticks are rare because there is nothing to save."""
        return self._extra_interval > 0

    def steady_for(self) -> float:
        """Seconds for which every tick has succeeded in time. A process that has just got the database back must not
        judge others by leases that nobody could renew."""
        since = self._steady_since
        return 0.0 if since is None or self._is_late() else time.monotonic() - since

    def _is_late(self) -> bool:
        return self.unavailable_for() > self._max_delay


def is_unavailable(connection: psycopg.Connection, error: Exception) -> bool:
    """Whether the database is unavailable, instead of having refused this one statement.

    It reports its shutdown by SQLSTATE 57P, a broken connection is 08 or has no SQLSTATE.
    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    if not isinstance(error, psycopg.Error):
        return False
    return connection.closed or error.sqlstate is None or error.sqlstate.startswith(("57P", "08"))
