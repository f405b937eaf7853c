"""Daphne's WebSocket protocol with every registered close code, a limit on control frames, and a shortcut for
sending."""

import time
from collections.abc import Callable
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from chatapp import library_internals
from conversations.rules.token_bucket import TokenBucket

CONTROL_RATE = 100
"""Control frames and fragments per second that a page may send. Browsers send a pong every few seconds, and a fragment
for each 128 KiB."""

CONTROL_BURST = 500
"""Control frames and fragments that a page may send at once."""

NORMAL = 1000
"""The close code of an ordinary end (RFC 6455, 7.4.1)."""

FLOOD = 4429
"""The close code for too many frames (docs/protocol.md)."""


class Socket(WebSocketProtocol):
    """A WebSocket that can also be closed with registered codes such as 1012, "service restart".

    Autobahn's `sendClose`, which is meant for applications, takes only 1000 and 3000 to 4999.
    """

    _receive: Callable[[bytes], None]
    _control_frames: TokenBucket

    def connectionMade(self) -> None:  # noqa: N802  Twisted's name for it
        """The page has connected."""
        self._receive = library_internals.quiet_receiver(self, super().dataReceived)
        self._control_frames = TokenBucket(CONTROL_RATE, CONTROL_BURST, time.monotonic())
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name for it
        """Bytes have arrived."""
        self._receive(data)

    def onFrameBegin(self) -> None:  # noqa: N802  Twisted's name for it
        """A frame begins. Only control frames and fragments are counted here; the consumer counts whole messages."""
        frame = self.current_frame
        whole = frame.fin and frame.opcode in (1, 2)
        if not whole and not self._control_frames.take(time.monotonic()):
            self._close_flood()
        super().onFrameBegin()

    @property
    def can_send_now(self) -> bool:
        """Whether `send_now` works on this connection. Otherwise the application sends through ASGI."""
        return library_internals.can_write_directly(self.transport)

    def send_now(self, payload: bytes) -> None:
        """Send `payload`, which is UTF-8, as one text frame (RFC 6455, 5.2), without waiting for the event loop."""
        if self.state == self.STATE_OPEN:
            library_internals.write_directly(self.transport, _header(len(payload)) + payload)

    def serverClose(self, code: int | None = None) -> None:
        """Begin the closing handshake with `code`, or with 1000."""
        self.sendCloseFrame(code=NORMAL if code is None else code)

    def _close_flood(self) -> None:
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=FLOOD)
            self.transport.loseConnection()


class SocketFactory(WebSocketFactory):
    """Creates the protocol of each new WebSocket."""

    protocol = Socket

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Close an oversized frame with a code. Otherwise the page would take it for a lost network and send it again.
        self.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=5)


def _header(length: int) -> bytes:
    """The header of an unmasked, unfragmented text frame with a payload of `length` bytes."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
