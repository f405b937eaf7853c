"""Refuses to work under any ASGI server but the product's own, because no supervisor would run the generations."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from conversations.generation.supervisor import supervisor

logger = logging.getLogger(__name__)

SENTENCE = "This application needs its own server: start it with `python -m chatapp.server` (or `make run`)."

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class OwnServerOnly:
    """ASGI middleware that answers 503 (close code 1012) unless a supervisor runs.

    The product's own server starts the supervisor before it accepts the first request.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if supervisor.loop is not None:
            await self._application(scope, receive, send)
            return
        logger.error(SENTENCE)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": f"{SENTENCE}\n".encode()})
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1012})
        else:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": SENTENCE})
