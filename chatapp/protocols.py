"""What Daphne's protocols lack: bodies of limited size, answers that wait for their reader, and all the codes that may
close a WebSocket."""

import asyncio
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
NORMAL = 1000


class LimitedRequest(WebRequest):
    """A request with a body of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.

    Twisted takes in a body as a whole before Daphne hands the request on, so neither Django nor an ASGI wrapper could
    keep somebody from filling memory and disk with it.
    """

    received = 0
    refused = False
    _room: asyncio.Event | None = None

    def gotLength(self, length: int | None) -> None:
        """The headers have arrived; `length` is None if the body comes in chunks."""
        super().gotLength(length)
        if length is not None and length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body has arrived; what comes after the refusal is thrown away."""
        self.received += len(data)
        if self.received > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self._refuse()
        if not self.refused:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """The whole request has arrived."""
        return None if self.refused else super().process()

    async def until_there_is_room(self) -> None:
        """After a piece of an answer that goes on: wait until the reader has taken what was sent. Daphne keeps in
        memory whatever it is given, and a long file is made faster than it is read. May be cancelled."""
        if self.finished or self.channel is None:
            return
        if self._room is None:
            self._room = asyncio.Event()
            self._room.set()
            self.registerProducer(self, True)
        await self._room.wait()

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's name for it
        """The buffer of the connection is full."""
        if self._room is not None:
            self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802  Twisted's name for it
        """The buffer of the connection is empty again."""
        if self._room is not None:
            self._room.set()

    def stopProducing(self) -> None:  # noqa: N802  Twisted's name for it
        """The connection is gone."""
        self.resumeProducing()

    def handle_exception(self, exception: BaseException) -> None:
        """The application failed. In mid-answer the reader learns it by the connection that breaks: what came must not
        look complete, and an error page, which Daphne would send, cannot begin there."""
        if self._response_started and self.channel is not None:
            self.channel.transport.abortConnection()
        else:
            super().handle_exception(exception)

    def finish(self) -> None:
        """The answer is complete."""
        if self.producer is not None:
            self.unregisterProducer()
        super().finish()

    def _refuse(self) -> None:
        if not self.refused:
            self.refused = True
            self.channel.transport.write(TOO_LARGE)
            self.channel.loseConnection()


class PageFactory(HTTPFactory):
    """Makes the protocols of new connections, with requests of limited size."""

    def buildProtocol(self, addr: Any) -> Any:
        """The protocol of one connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol


def _header(length: int) -> bytes:
    """Of an unmasked, unfragmented text frame."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


class Socket(WebSocketProtocol):
    """A WebSocket that can also be closed with the registered codes, of which 1012 means "the server restarts".

    Autobahn's `sendClose`, made for applications in general, takes 1000 and 3000 to 4999 only.
    """

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name for it
        """Bytes have arrived. autobahn's own method first composes a coloured line for its debug log, each time, which
        takes a quarter of the whole way of an acknowledgement."""
        self._dataReceived(data)

    def send_now(self, payload: bytes) -> None:
        """Send a text frame (RFC 6455, 5.2) of bytes that are UTF-8.

        Straight into the socket where nothing waits before it: a frame of a stream is small, and waking the loop for
        it once more, and all that autobahn can do besides, costs more than the rest of the frame's way.
        """
        if self.state != self.STATE_OPEN:
            return
        frame = _header(len(payload)) + payload
        transport = self.transport
        if not transport.TLS and not transport.dataBuffer and not transport._tempDataBuffer:  # noqa: SLF001
            sent = transport.writeSomeData(frame)
            if isinstance(sent, int) and sent > 0:
                frame = frame[sent:]
        if frame:
            transport.write(frame)

    def serverClose(self, code: int | None = None) -> None:
        """Say goodbye to the page."""
        self.sendCloseFrame(code=NORMAL if code is None else code)


class SocketFactory(WebSocketFactory):
    """Makes the protocols of new WebSockets."""

    protocol = Socket
