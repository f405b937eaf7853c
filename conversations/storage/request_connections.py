"""The database connection that a request holds: given back however the request ends, and before it takes another.

Django gives it back when it says that the request has finished. An exception that leaves Django says nothing, and a
pool of eight connections is empty after eight of them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


async def give_back() -> None:
    """Give back the connection of this request's own thread: who the person is has been read with it. A request that
    keeps it and waits for a second one (`in_database`) waits for ever when all others do the same."""
    await sync_to_async(close_old_connections)()


class GivesBack:
    """Wraps Django. The thread that Django uses for a request is that of the outermost context, so it can be reached
    from here when Django is through with it."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():
            try:
                await self._pages(scope, receive, send)
            except BaseException:
                await give_back()
                raise
