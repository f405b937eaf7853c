"""The demo model's HTTP endpoint: OpenAI's Chat Completions, on loopback, in the server's own event loop.

The product reaches it like any other provider, over real HTTP, so that what works here works with a real model.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import random
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .completion import Completion, RefusedError, read_request

HOST = "127.0.0.1"
MODEL = "demo"
FIRST_TOKEN_DELAY = 0.2  # seconds
MAX_BODY = 64 * 2**20  # the history of a long conversation comes with every request


@dataclass(slots=True)
class Demo:
    """The running endpoint."""

    base_url: str
    key: str
    model: str
    _runner: web.AppRunner
    _writer: _Writer

    @property
    def writing(self) -> int:
        """How many answers are being written now."""
        return self._writer.writing

    @property
    def written(self) -> int:
        """How many tokens have been written so far."""
        return self._writer.written

    async def close(self) -> None:
        """Stop listening and cut off every answer that is being written."""
        await self._runner.cleanup()


async def start(rate: float) -> Demo:
    """Listen on a free port of the loopback interface and write about `rate` tokens a second. Raises OSError."""
    key = secrets.token_urlsafe(24)
    writer = _Writer(rate)
    application = web.Application(middlewares=[_errors, _bearer(key)], client_max_size=MAX_BODY)
    application.router.add_get("/v1/models", _models)
    application.router.add_post("/v1/chat/completions", writer.completions)
    # A client that disconnects cancels its handler: the rest would be written for nobody.
    runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
    except OSError:
        await runner.cleanup()
        raise
    port = runner.addresses[0][1]
    return Demo(f"http://{HOST}:{port}/v1", key, MODEL, runner, writer)


class _Writer:
    """Writes completions at the pace of a model."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._turn = 0
        self.writing = 0
        self.written = 0

    async def completions(self, request: web.Request) -> web.StreamResponse:
        asked = read_request(await request.read(), MODEL)
        self._turn += 1
        completion = Completion(asked, self._turn)
        self.writing += 1
        try:
            return await (self._stream(request, completion) if asked.stream else self._whole(completion))
        finally:
            self.writing -= 1

    async def _whole(self, completion: Completion) -> web.Response:
        async for _ in self._paced(completion.tokens):
            pass
        return web.json_response(completion.whole())

    async def _stream(self, request: web.Request, completion: Completion) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        await response.write(_event(completion.chunk({"role": "assistant", "content": ""})))
        async for token in self._paced(completion.tokens):
            await response.write(_event(completion.chunk({"content": token})))
        await response.write(_event(completion.chunk({}, finish_reason=completion.finish_reason)))
        if completion.request.include_usage:
            await response.write(_event(completion.usage_chunk()))
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _paced(self, tokens: list[str]) -> AsyncIterator[str]:
        """The tokens at slightly irregular intervals, `rate` a second on average."""
        due = time.monotonic() + min(FIRST_TOKEN_DELAY, 5 / self._rate)
        for token in tokens:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.written += 1
            yield token
            due += random.uniform(0.4, 1.6) / self._rate  # noqa: S311


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


async def _models(_: web.Request) -> web.Response:
    model = {"id": MODEL, "object": "model", "created": int(time.time()), "owned_by": "demo"}
    return web.json_response({"object": "list", "data": [model]})


def _refusal(status: int, message: str, kind: str = "invalid_request_error", code: str | None = None) -> web.Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say what is wrong in the form of OpenAI's errors."""
    try:
        return await handler(request)
    except RefusedError as error:
        return _refusal(error.status, str(error), code=error.code)
    except web.HTTPException as error:
        return _refusal(error.status, error.reason)


def _bearer(key: str) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {key}".encode()):
            return _refusal(401, "Incorrect API key provided.", code="invalid_api_key")
        return await handler(request)

    return check
