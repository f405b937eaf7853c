"""Checks which origin a WebSocket comes from."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

logger = logging.getLogger("chatapp.security.origin")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class OriginCheck:
    """ASGI middleware that sets `scope["origin_allowed"]`: whether the page comes from one of `ALLOWED_ORIGINS`.

    Origins are compared in full (scheme, host, port): comparing only hosts would admit any other server on the same
    machine. Nothing is refused here. To the page, a refused handshake looks like a lost network, and it would reconnect
    without end; so the consumer accepts, and closes with a code that says why.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        allowed = len(origins) == 1 and origins[0].decode("latin-1") in settings.ALLOWED_ORIGINS
        if not allowed:
            logger.warning(
                "a page of another origin tried to open a socket; ALLOWED_ORIGINS lists the origins that may"
            )
        await self.application({**scope, "origin_allowed": allowed}, receive, send)
