"""What Daphne's protocols lack: requests of limited size and time, a reserve of open files, answers that wait for their
reader, control frames that are counted, and all the codes that may close a WebSocket."""

import asyncio
import logging
import resource
import time
from collections.abc import Callable
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet import reactor as twisted_reactor
from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel

from conversations.rules.token_bucket import TokenBucket

logger = logging.getLogger(__name__)
reactor: Any = twisted_reactor

PATIENCE = 60.0
"""Seconds in which a request has to arrive as a whole. Twisted closes only a connection on which nothing comes at all,
so one byte now and then would hold it for ever."""

RESERVE = 100
"""Open files that are kept for the database, the providers and the connections that there are."""

QUIET = 60.0
"""Seconds between two lines that say that connections are refused."""

CONTROL_RATE = 100
CONTROL_BURST = 500
"""Control frames and fragments a second, and at once, that a page may send. Browsers send a pong every few seconds, and
a fragment for each 128 KiB."""

FLOOD = 4429
DIRECT = ("writeSomeData", "dataBuffer", "_tempDataBuffer", "TLS")
"""What Twisted's own connections have, and `Socket.send_now` uses. Not all of it is public."""

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
NORMAL = 1000


class Channel(HTTPChannel):
    """A connection whose requests arrive in time."""

    transport: Any
    _late: Any = None

    def connectionMade(self) -> None:  # noqa: N802  Twisted's name for it
        """The connection is there; the request has to follow."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self.expect()

    def expect(self) -> None:
        """From now on the request, or the next one, has to arrive."""
        self.came()
        self._late = self.callLater(PATIENCE, self._give_up)  # type: ignore[no-untyped-call]

    def came(self) -> None:
        """It has arrived."""
        late, self._late = self._late, None
        if late is not None and late.active():
            late.cancel()

    def requestDone(self, request: Any) -> None:  # noqa: N802  Twisted's name for it
        """A request is answered; another may follow, and may have begun to arrive."""
        self.expect()
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any = connectionDone) -> None:  # noqa: N802  Twisted's name for it
        """The connection is gone."""
        self.came()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _give_up(self) -> None:
        self.transport.abortConnection()


class LimitedRequest(WebRequest):
    """A request with a body of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.

    Twisted takes in a body as a whole before Daphne hands the request on, so neither Django nor an ASGI wrapper could
    keep somebody from filling memory and disk with it.
    """

    received = 0
    refused = False
    _room: asyncio.Event | None = None

    def __init__(self, channel: Any, *args: Any, **options: Any) -> None:
        """The first line has arrived."""
        super().__init__(channel, *args, **options)
        channel.expect()

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
        """The whole request has arrived. Nobody outside says under which path this server is to be found."""
        if self.channel is not None:
            self.channel.came()
        self.requestHeaders.removeHeader(b"daphne-root-path")
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

    protocol = Channel
    _told_at = -QUIET

    def buildProtocol(self, addr: Any) -> Any:
        """The protocol of one connection; None, which closes it, while too many are open."""
        if not self._has_room():
            return None
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol

    def _has_room(self) -> bool:
        """Without a reserve, the last file would go to a connection that can then be answered by nothing."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        count = len(reactor.getReaders())
        if limit == resource.RLIM_INFINITY or count < limit - min(RESERVE, limit // 4):
            return True
        if time.monotonic() - self._told_at > QUIET:
            self._told_at = time.monotonic()
            logger.warning(
                "connections are refused: of %d open files %d are used; raise the limit (ulimit, LimitNOFILE)",
                limit,
                count,
            )
        return False


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

    _receive: Callable[[bytes], None]
    _control: TokenBucket

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name for it
        """Bytes have arrived. autobahn's own method first composes a coloured line for its debug log, each time, which
        takes a quarter of the whole way of an acknowledgement. Without the part that is taken here, that is its way."""
        self._receive(data)

    def connectionMade(self) -> None:  # noqa: N802  Twisted's name for it
        """The connection is there, and what it can do is known."""
        whole: Any = getattr(self, "_dataReceived", None)
        self._receive = whole or super().dataReceived
        self._control = TokenBucket(CONTROL_RATE, CONTROL_BURST, time.monotonic())
        super().connectionMade()

    @property
    def direct(self) -> bool:
        """Whether `send_now` can be used. Without it, applications send as ASGI has it."""
        return all(hasattr(self.transport, name) for name in DIRECT)

    def onFrameBegin(self) -> None:  # noqa: N802  Twisted's name for it
        """A frame begins. Whole messages are counted by the application, which closes floods of them."""
        frame = self.current_frame
        whole = frame.fin and frame.opcode in (1, 2)
        if not whole and not self._control.take(time.monotonic()):
            self._refuse_flood()
        super().onFrameBegin()

    def _refuse_flood(self) -> None:
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=FLOOD)
            self.transport.loseConnection()

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

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # A page learns by the code that its frame was too large. Otherwise it would look like a lost network, and the
        # page would send it again.
        self.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=5)
