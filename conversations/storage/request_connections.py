"""Releases the database connection of a request, however the request ends.

Django releases it when its `request_finished` signal is sent. When an exception leaves Django, that signal is not sent;
a pool of eight connections would be empty after eight exceptions.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


async def release() -> None:
    """Release the connection of this request's thread, which was used to load the user.

    A request that keeps it while it waits for a second one (`in_database`) could wait forever if all others did the
    same.
    """
    await sync_to_async(close_old_connections)()


class ReleaseConnections:
    """ASGI middleware around Django. Opens the outermost thread-sensitive context, whose thread Django then uses for
    the request, so that the connection can be released from here."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():
            try:
                await self._application(scope, receive, send)
            except BaseException:
                await release()
                raise
