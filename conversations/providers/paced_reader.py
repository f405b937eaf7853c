"""Reads a provider's response in intervals instead of once for each token.

A provider sends one token at a time, and waking up for each costs more than processing it. So after each read the
connection is paused until viewers may get the next frame; then everything that has arrived is read at once. Unread
bytes wait in the kernel, before the end or the reset of the stream. When an answer is stopped, unread bytes, at most
one pause old, are not part of it.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Self, cast

import httpx2
from aiohttp import ClientResponse

from .transport import RESPONSE_EXTENSION

MIN_PAUSE = 0.005
"""Seconds; a shorter pause is not worth its cost."""


class PacedReader:
    """Iterates over the bytes of one response. As a context manager it leaves no connection paused. Safe to cancel."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._aiohttp_response: ClientResponse | None = response.extensions.get(RESPONSE_EXTENSION)
        self._transport: asyncio.ReadTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body())

    def pause(self, seconds: float) -> None:
        """Read nothing for this many seconds."""
        if seconds < MIN_PAUSE and self._timer is None:
            return
        # None once the body is complete: the connection belongs to the pool again.
        connection = self._aiohttp_response.connection if self._aiohttp_response is not None else None
        if connection is None or connection.transport is None:
            return
        self._transport = connection.transport
        # Even if it is paused: aiohttp resumes it whenever its own buffer is read.
        self._transport.pause_reading()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._resume)

    def resume(self) -> None:
        """Read on at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._resume()

    def _resume(self) -> None:
        self._timer = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _body(self) -> AsyncIterable[bytes]:
        """The bytes straight from the transport: the layers above it are generators, and each token would wake all of
        them. Only a compressed body, which no provider was asked for, goes through them."""
        if self._response.headers.get("content-encoding", "identity") != "identity":
            return self._response.aiter_bytes()
        return cast(httpx2.AsyncByteStream, self._response.stream)
