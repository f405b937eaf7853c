"""The bytes of a provider's answer, read when somebody has use for them.

A provider writes a token at a time, and being woken for each costs more than all that is done with it. So after each
read the connection rests until viewers may have the next frame; then everything that arrived meanwhile comes at once.
What has not been read waits in the kernel; an orderly end of the stream is seen behind it, and so is a reset one. When
an answer is stopped, what waits there, no older than one rest, is not part of it.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Self, cast

import httpx2
from aiohttp import ClientResponse

from .transport import ANSWER

SHORTEST = 0.005
"""Seconds of rest that are worth the pause."""


class Tap:
    """Iterates over the bytes of one response, as a context that leaves no connection resting. Safe to cancel."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._answer: ClientResponse | None = response.extensions.get(ANSWER)
        self._transport: asyncio.ReadTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wake()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body())

    def rest(self, seconds: float) -> None:
        """Read nothing for so long."""
        if seconds < SHORTEST and self._timer is None:
            return
        # Once the body is complete, the connection belongs to the pool again, and this is None.
        connection = self._answer.connection if self._answer is not None else None
        if connection is None or connection.transport is None:
            return
        self._transport = connection.transport
        self._transport.pause_reading()  # again, too: aiohttp goes on with each read of what it holds
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._resume)

    def wake(self) -> None:
        """Read on at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._resume()

    def _resume(self) -> None:
        self._timer = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _body(self) -> AsyncIterable[bytes]:
        """Where nothing is to be unpacked, as nothing should, straight from the transport: the layers above it are
        generators that every token would wake one by one."""
        if self._response.headers.get("content-encoding", "identity") != "identity":
            return self._response.aiter_bytes()
        return cast(httpx2.AsyncByteStream, self._response.stream)
