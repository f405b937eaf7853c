"""Database work of code that runs on the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import psycopg
from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import translation

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

AWAY = (Error, psycopg.Error, OSError, TimeoutError)
"""What database work raises while the database is away or too slow."""

_threads = ThreadPoolExecutor(max_workers=settings.DATABASE_POOL_SIZE, thread_name_prefix="database")


async def in_database(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call `function` on one of a few threads of the process, in the caller's language, and give its connection back.

    Not Channels' `database_sync_to_async`: that one puts the work of all sockets on one thread (of Django's
    thread-sensitive mode), where one slow query holds back everybody; and asgiref carries every context variable to
    the thread and back, where only the language is needed. Cancelling the caller drops work that still waits for a
    thread and does not undo what has begun, so only tasks that nobody cancels write through it.
    """
    language = translation.get_language()

    def work() -> Result:
        close_old_connections()
        try:
            with translation.override(language):
                return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, work)
