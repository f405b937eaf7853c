"""Database work of code that runs on the event loop, in classes that cannot hold each other up.

Pages of Django, in their own threads, share one pool of connections. What answers depend on (sends, watches, stops from
elsewhere, following) has threads and connections of its own, and so has what is done in the background: neither a slow
page nor a long count stands before a send. Together they have `DATABASE_POOL_SIZE` connections; the journal has one
more.
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

AWAY = (Error, psycopg.Error, OSError, TimeoutError)
"""What database work raises while the database is away or too slow."""

UNLIMITED = "background"
"""The class whose statements may take as long as they do."""


class Threads:
    """A few threads of the process, with connections that only they use."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=self._connect)

    def _connect(self) -> None:
        """For this thread, the default database is reached by this class's connections. Nothing connects yet."""
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
    """Call `function` on a thread for what answers depend on, in the caller's language, and give its connection back.

    Not Channels' `database_sync_to_async`: that one puts the work of all sockets on one thread (of Django's
    thread-sensitive mode), where one slow query holds back everybody; and asgiref carries every context variable to
    the thread and back, where only the language is needed. Cancelling the caller drops work that still waits for a
    thread and does not undo what has begun, so only tasks that nobody cancels write through it.
    """
    return await _core.run(function, *args, **kwargs)


async def in_background(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """The same for what may take its time: it waits for others of its kind, and no limit of time cuts it off."""
    return await _background.run(function, *args, **kwargs)


# --- limits of time ---------------------------------------------------------------------------------------------------

_limited: WeakSet[psycopg.Connection] = WeakSet()

LIMIT = "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)"


def limit() -> None:
    """From now on no statement of this process may take longer than the settings say, nor wait longer for a lock: for
    what serves people. Migrations and commands are not limited."""
    connection_created.connect(_limit, dispatch_uid="limits of time")


def _limit(connection: Any, **_: object) -> None:
    """Django's signal for each connection that is taken from a pool; a new one has no limits yet."""
    if connection.alias == UNLIMITED or connection.connection in _limited:
        return
    seconds = (settings.DATABASE_STATEMENT_TIMEOUT, settings.DATABASE_LOCK_TIMEOUT)
    connection.connection.execute(LIMIT, [f"{round(limit * 1000)}ms" for limit in seconds])
    _limited.add(connection.connection)
