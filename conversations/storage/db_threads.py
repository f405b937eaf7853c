"""Runs database work for the event loop, on threads whose groups cannot delay each other.

Django's pages run on their own threads and share one pool of connections. What answers depend on (sends, subscriptions,
stops from other processes, following) has its own threads and connections, and so has background work: neither a slow
page nor a long count delays a send. Together they use `DATABASE_POOL_SIZE` connections; the journal has one more.
"""

import asyncio
import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, close_old_connections, connections
from django.db.backends.signals import connection_created
from django.utils import translation

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

UNAVAILABLE = (Error, psycopg.Error, OSError, TimeoutError)
"""Exceptions of database work while the database is unavailable or too slow."""

UNLIMITED = "background"
"""Name of the group whose statements have no time limit."""


class Threads:
    """A group of threads, with database connections that only they use."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=self._connect)

    def _connect(self) -> None:
        """Make this thread reach the default database through the group's own pool. Does not connect yet."""
        usual = connections[DEFAULT_DB_ALIAS]
        own = copy.deepcopy(usual.settings_dict)
        own["OPTIONS"]["pool"]["max_size"] = self._count
        connections[DEFAULT_DB_ALIAS] = type(usual)(own, alias=self._name)

    async def run(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        language = translation.get_language()

        def work() -> Result:
            close_old_connections()
            try:
                with translation.override(language):
                    return function(*args, **kwargs)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


_core = Threads("core", settings.DATABASE_CORE)
_background = Threads(UNLIMITED, settings.DATABASE_BACKGROUND)


async def in_database(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call `function` on a thread for what answers depend on, in the caller's language, and release its connection.

    Channels' `database_sync_to_async` runs the work of all sockets on one thread, where one slow query delays
    everybody, and copies every context variable to the thread and back, although only the language is needed.

    Cancelling the caller drops work that still waits for a thread; it does not undo work that has begun. Therefore only
    tasks that are never cancelled write through it.
    """
    return await _core.run(function, *args, **kwargs)


async def in_background(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Like `in_database`, on the background threads: calls wait for each other, and statements have no time limit."""
    return await _background.run(function, *args, **kwargs)


# --- time limits ------------------------------------------------------------------------------------------------------

_limited: WeakSet[psycopg.Connection] = WeakSet()

SET_LIMITS = "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)"


def limit_query_time() -> None:
    """Limit how long each statement of this process may take, and how long it may wait for a lock. Called by the
    server; migrations and management commands have no limits."""
    connection_created.connect(_set_limits, dispatch_uid="query time limits")


def _set_limits(connection: Any, **_: object) -> None:
    """Django sends this signal each time a connection leaves the pool; only a new one lacks the limits."""
    if connection.alias == UNLIMITED or connection.connection in _limited:
        return
    seconds = (settings.DATABASE_STATEMENT_TIMEOUT, settings.DATABASE_LOCK_TIMEOUT)
    connection.connection.execute(SET_LIMITS, [f"{round(limit_query_time * 1000)}ms" for limit_query_time in seconds])
    _limited.add(connection.connection)
