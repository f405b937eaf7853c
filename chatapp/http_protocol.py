"""Daphne's HTTP protocol with limits: on the size and duration of a request, on open connections, and on the part of a
response that waits for its reader."""

import asyncio
import logging
import resource
import time
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.internet import reactor as twisted_reactor
from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel

logger = logging.getLogger(__name__)
reactor: Any = twisted_reactor

REQUEST_TIMEOUT = 60.0
"""Seconds within which a whole request has to arrive. Twisted closes only a connection on which nothing arrives at all,
so one byte now and then would keep it open."""

RESERVED_FILES = 100
"""Open files kept for the database, the providers and the connections that already exist."""

WARNING_INTERVAL = 60.0
"""Seconds between two warnings that connections are refused."""

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
"""The response to a request whose body is too large, sent before the body has arrived."""


class Channel(HTTPChannel):
    """A connection that is closed when a request takes too long to arrive."""

    transport: Any
    _timeout: Any = None

    def connectionMade(self) -> None:  # noqa: N802  Twisted's name for it
        """The client has connected; its request has to follow."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self.start_timeout()

    def start_timeout(self) -> None:
        """Give the request, or the next one, `REQUEST_TIMEOUT` from now to arrive."""
        self.cancel_timeout()
        self._timeout = self.callLater(REQUEST_TIMEOUT, self._abort)  # type: ignore[no-untyped-call]

    def cancel_timeout(self) -> None:
        """The request has arrived, or the connection has closed."""
        timeout, self._timeout = self._timeout, None
        if timeout is not None and timeout.active():
            timeout.cancel()

    def requestDone(self, request: Any) -> None:  # noqa: N802  Twisted's name for it
        """A request has been answered. Another may follow, and may already be arriving."""
        self.start_timeout()
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any = connectionDone) -> None:  # noqa: N802  Twisted's name for it
        """The connection has closed."""
        self.cancel_timeout()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _abort(self) -> None:
        self.transport.abortConnection()


class LimitedRequest(WebRequest):
    """A request whose body may have at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.

    Twisted reads the whole body before Daphne passes the request on, so neither Django nor an ASGI wrapper could keep a
    client from filling memory and disk.
    """

    received = 0
    refused = False
    response_started = False
    _writable: asyncio.Event | None = None

    def __init__(self, channel: Any, *args: Any, **options: Any) -> None:
        """The first line has arrived."""
        super().__init__(channel, *args, **options)
        channel.start_timeout()

    def gotLength(self, length: int | None) -> None:
        """The headers have arrived; `length` is None if the body is chunked."""
        super().gotLength(length)
        if length is not None and length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Part of the body has arrived. What arrives after a refusal is dropped."""
        self.received += len(data)
        if self.received > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self._refuse()
        if not self.refused:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """The whole request has arrived. `Daphne-Root-Path` is removed: clients do not decide the server's path."""
        if self.channel is not None:
            self.channel.cancel_timeout()
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return None if self.refused else super().process()

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Send the next part of the response."""
        self.response_started = self.response_started or message["type"] == "http.response.start"
        super().handle_reply(message)

    async def wait_until_writable(self) -> None:
        """Wait until the client has read what was sent so far. May be cancelled.

        Daphne keeps in memory whatever it is given, and a long file is produced faster than it is read.
        """
        if self.finished or self.channel is None:
            return
        if self._writable is None:
            self._writable = asyncio.Event()
            self._writable.set()
            self.registerProducer(self, True)
        await self._writable.wait()

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's name for it
        """The connection's buffer is full."""
        if self._writable is not None:
            self._writable.clear()

    def resumeProducing(self) -> None:  # noqa: N802  Twisted's name for it
        """The connection's buffer is empty again."""
        if self._writable is not None:
            self._writable.set()

    def stopProducing(self) -> None:  # noqa: N802  Twisted's name for it
        """The connection has closed."""
        self.resumeProducing()

    def handle_exception(self, exception: BaseException) -> None:
        """The application failed. Once the response has started, the connection is aborted: a truncated file must not
        look complete, and Daphne's error page cannot begin in the middle of a response."""
        if self.response_started and self.channel is not None:
            self.channel.transport.abortConnection()
        else:
            super().handle_exception(exception)

    def finish(self) -> None:
        """The response is complete."""
        if self.producer is not None:
            self.unregisterProducer()
        super().finish()

    def _refuse(self) -> None:
        if not self.refused:
            self.refused = True
            self.channel.transport.write(TOO_LARGE)
            self.channel.loseConnection()


class PageFactory(HTTPFactory):
    """Creates the protocol of each new HTTP connection."""

    protocol = Channel
    _warned_at = -WARNING_INTERVAL

    def buildProtocol(self, addr: Any) -> Any:
        """The protocol of one connection, or None, which closes it, while too many are open."""
        if not self._has_room():
            return None
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol

    def _has_room(self) -> bool:
        """Whether there is room for another connection. Without a reserve, it could take the last file and leave none
        for answering it."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        count = len(reactor.getReaders())
        if limit == resource.RLIM_INFINITY or count < limit - min(RESERVED_FILES, limit // 4):
            return True
        if time.monotonic() - self._warned_at > WARNING_INTERVAL:
            self._warned_at = time.monotonic()
            logger.warning(
                "connections are refused: %d of %d open files are in use; raise the limit (ulimit, LimitNOFILE)",
                count,
                limit,
            )
        return False
