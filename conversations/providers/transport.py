"""The connections to providers: httpx2's transport over aiohttp, under the SDK.

It is the product's own because a Stop depends on it: what is cancelled closes its socket at once, before the headers as
well as behind them, with TLS as without. Closing in order would first send what still waits to be sent, and would wait
for the other side's part of a TLS closure. Only public interfaces of httpx2 and aiohttp are used.
"""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import Any

import aiohttp
import httpx2

CHUNK = 16 * 1024
"""Bytes of a body that are handed on at once."""

ERROR_BYTES = 64 * 1024
"""What is read of the body of an error."""

ERROR_SECONDS = 3.0
"""How long that may take."""

CLOSING = 1.0
"""Seconds that an aborted connection may take to be gone. It takes one turn of the event loop."""

ANSWER = "answer"
"""Name of the response's extension that holds aiohttp's response."""

ENCODING = b"content-encoding"


class Answer(aiohttp.ClientResponse):
    """A response whose connection is dropped, not shut down in order, when it is closed before its end."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the headers. Cancelling drops the connection."""
        try:
            return await super().start(connection)
        except BaseException:
            _abort(connection)
            raise

    def close(self) -> None:
        if self.connection is not None:
            _abort(self.connection)
        super().close()

    async def drop(self) -> None:
        """Close, and return when the socket is closed; a body that was read to its end has given it back before."""
        protocol = self.connection.protocol if self.connection is not None else None
        closed = protocol.closed if protocol is not None else None
        self.close()
        if closed is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(closed, return_exceptions=True), CLOSING)


def _abort(connection: Any) -> None:
    if connection.transport is not None:
        connection.transport.abort()


class Body(httpx2.AsyncByteStream):
    """The bytes of a body as they arrive."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for data in self.answer.content.iter_chunked(CHUNK):
                yield data

    async def aclose(self) -> None:
        await self.answer.drop()


class ErrorBody(Body):
    """The beginning of an error's body: so many bytes, within so many seconds. Breaking off is no error of its own."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = bytearray()
        with suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(ERROR_SECONDS):
                while len(read) < ERROR_BYTES and (data := await self.answer.content.readany()):
                    read += data
        yield bytes(read[:ERROR_BYTES])


class Transport(httpx2.AsyncBaseTransport):
    """Connections to one endpoint. Every method is safe to cancel."""

    def __init__(self, base_url: httpx2.URL, *, most: int, idle: float) -> None:
        """`most` connections at once; `idle`: seconds for which an unused one is kept."""
        self._proxy = proxy_for(base_url)
        self._most = most
        self._idle = idle
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it. Raises httpx2.TransportError."""
        timeout = request.extensions.get("timeout", {})
        limits = aiohttp.ClientTimeout(
            total=None,
            connect=timeout.get("pool"),
            sock_connect=timeout.get("connect"),
            sock_read=timeout.get("read"),
        )
        with _translated():
            answer = await self._open().request(
                request.method,
                str(request.url),
                headers=request.headers,
                data=request.content or None,
                allow_redirects=False,
                timeout=limits,
                proxy=self._proxy,
            )
        assert isinstance(answer, Answer)
        return _response(answer, request)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session, which can only be made on the event loop. A provider's cookies are not kept."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._most, keepalive_timeout=self._idle, ssl=_trusted())
            self._session = aiohttp.ClientSession(
                connector=connector,
                response_class=Answer,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def _response(answer: Answer, request: httpx2.Request) -> httpx2.Response:
    """As the client takes it. Of an error a compressed body is not read: it was asked for as it is, and could unpack to
    any size."""
    failed = answer.status >= httpx2.codes.BAD_REQUEST
    headers = list(answer.raw_headers)
    packed = any(name.lower() == ENCODING and value.strip().lower() != b"identity" for name, value in headers)
    stream: httpx2.AsyncByteStream = ErrorBody(answer) if failed else Body(answer)
    if failed and packed:
        answer.close()
        headers = [(name, value) for name, value in headers if name.lower() != ENCODING]
        stream = httpx2.ByteStream(b"")
    return httpx2.Response(answer.status, headers=headers, stream=stream, request=request, extensions={ANSWER: answer})


def _trusted() -> SSLContext:
    """Certificates of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`."""
    return httpx2.create_ssl_context()


def proxy_for(url: httpx2.URL) -> str | None:
    """The proxy that the environment names for this address (`HTTPS_PROXY`, `NO_PROXY` …)."""
    if urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


@contextmanager
def _translated() -> Iterator[None]:
    """aiohttp's errors as those of httpx2, with aiohttp's as their cause."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise _as_httpx2(error) from error


def _as_httpx2(error: Exception) -> httpx2.TransportError:
    message = type(error).__name__  # its own text may hold the address
    if isinstance(error, aiohttp.SocketTimeoutError):
        return httpx2.ReadTimeout(message)
    if isinstance(error, TimeoutError):
        return httpx2.ConnectTimeout(message)
    if isinstance(error, aiohttp.ClientConnectorError):
        return httpx2.ConnectError(message)
    if isinstance(error, ValueError):  # an address that nothing can be sent to
        return httpx2.UnsupportedProtocol(message)
    return httpx2.ReadError(message)
