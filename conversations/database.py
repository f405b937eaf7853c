"""Database work of code that runs on the event loop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error, close_old_connections

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

AWAY = (Error, psycopg.Error, OSError, TimeoutError)
"""What database work raises while the database is away or too slow."""

_threads = ThreadPoolExecutor(max_workers=settings.DATABASE_POOL_SIZE, thread_name_prefix="database")


async def in_database(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call `function` on one of a few threads of the process and give its connection back.

    Not Channels' `database_sync_to_async`: that one puts the work of all sockets on one thread (of Django's
    thread-sensitive mode), where one slow query holds back everybody. Cancelling the caller drops work that still
    waits for a thread and does not undo what has begun, so only tasks that nobody cancels write through it.
    """

    def work() -> Result:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(work, thread_sensitive=False, executor=_threads)()
