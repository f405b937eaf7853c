"""What Daphne's protocols lack: bodies of limited size, and all the codes that may close a WebSocket."""

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


class Socket(WebSocketProtocol):
    """A WebSocket that can also be closed with the registered codes, of which 1012 means "the server restarts".

    Autobahn's `sendClose`, made for applications in general, takes 1000 and 3000 to 4999 only.
    """

    def serverClose(self, code: int | None = None) -> None:
        """Say goodbye to the page."""
        self.sendCloseFrame(code=NORMAL if code is None else code)


class SocketFactory(WebSocketFactory):
    """Makes the protocols of new WebSockets."""

    protocol = Socket
