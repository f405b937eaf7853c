"""The connections to providers: httpx2's transport over aiohttp, under the SDK.

A Stop depends on it: a cancelled request closes its socket at once, before or after the headers, with or without TLS.
An orderly close would first send what is still buffered, and would wait for the peer's part of a TLS closure. Only
public interfaces of httpx2 and aiohttp are used.
"""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import Any

import aiohttp
import httpx2

READ_SIZE = 16 * 1024
"""Maximum bytes of a body in one read."""

MAX_ERROR_BYTES = 64 * 1024
"""Maximum bytes read from the body of an error."""

ERROR_TIMEOUT = 3.0
"""Seconds that reading the body of an error may take."""

CLOSE_TIMEOUT = 1.0
"""Seconds to wait until an aborted connection is closed. It normally takes one iteration of the event loop."""

RESPONSE_EXTENSION = "answer"
"""Key of aiohttp's response in the extensions of httpx2's."""

ENCODING = b"content-encoding"


class Response(aiohttp.ClientResponse):
    """A response that aborts its connection when it is closed before its end."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the headers. Cancelling aborts the connection."""
        try:
            return await super().start(connection)
        except BaseException:
            _abort(connection)
            raise

    def close(self) -> None:
        if self.connection is not None:
            _abort(self.connection)
        super().close()

    async def abort(self) -> None:
        """Close, and return when the socket is closed. After the end of the body the connection is back in the pool,
        and nothing happens."""
        protocol = self.connection.protocol if self.connection is not None else None
        closed = protocol.closed if protocol is not None else None
        self.close()
        if closed is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(closed, return_exceptions=True), CLOSE_TIMEOUT)


def _abort(connection: Any) -> None:
    if connection.transport is not None:
        connection.transport.abort()


class Body(httpx2.AsyncByteStream):
    """The bytes of a body as they arrive."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for data in self.response.content.iter_chunked(READ_SIZE):
                yield data

    async def aclose(self) -> None:
        await self.response.abort()


class ErrorBody(Body):
    """The beginning of an error's body, limited by `MAX_ERROR_BYTES` and `ERROR_TIMEOUT`. A body that breaks off raises
    nothing."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = bytearray()
        with suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(ERROR_TIMEOUT):
                while len(read) < MAX_ERROR_BYTES and (data := await self.response.content.readany()):
                    read += data
        yield bytes(read[:MAX_ERROR_BYTES])


class Transport(httpx2.AsyncBaseTransport):
    """Connections to one endpoint. Every method is safe to cancel."""

    def __init__(self, base_url: httpx2.URL, *, max_connections: int, keep_alive: float) -> None:
        """`keep_alive`: seconds for which an unused connection stays open."""
        self._proxy = proxy_for(base_url)
        self._max_connections = max_connections
        self._keep_alive = keep_alive
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and read the response's headers. Raises httpx2.TransportError."""
        timeout = request.extensions.get("timeout", {})
        limits = aiohttp.ClientTimeout(
            total=None,
            connect=timeout.get("pool"),
            sock_connect=timeout.get("connect"),
            sock_read=timeout.get("read"),
        )
        with _translated():
            response = await self._get_session().request(
                request.method,
                str(request.url),
                headers=request.headers,
                data=request.content or None,
                allow_redirects=False,
                timeout=limits,
                proxy=self._proxy,
            )
        assert isinstance(response, Response)
        return _response(response, request)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _get_session(self) -> aiohttp.ClientSession:
        """The session, created on first use because that needs the event loop. It ignores the provider's cookies."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._max_connections, keepalive_timeout=self._keep_alive, ssl=_trusted()
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                response_class=Response,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def _response(response: Response, request: httpx2.Request) -> httpx2.Response:
    """aiohttp's response as one of httpx2. The compressed body of an error is not read: no compression was requested,
    and it could decompress to any size."""
    failed = response.status >= httpx2.codes.BAD_REQUEST
    headers = list(response.raw_headers)
    packed = any(name.lower() == ENCODING and value.strip().lower() != b"identity" for name, value in headers)
    stream: httpx2.AsyncByteStream = ErrorBody(response) if failed else Body(response)
    if failed and packed:
        response.close()
        headers = [(name, value) for name, value in headers if name.lower() != ENCODING]
        stream = httpx2.ByteStream(b"")
    return httpx2.Response(
        response.status, headers=headers, stream=stream, request=request, extensions={RESPONSE_EXTENSION: response}
    )


def _trusted() -> SSLContext:
    """Trusts the system's certificates, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`."""
    return httpx2.create_ssl_context()


def proxy_for(url: httpx2.URL) -> str | None:
    """The proxy for this address, from the environment (`HTTPS_PROXY`, `NO_PROXY` …)."""
    if urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


@contextmanager
def _translated() -> Iterator[None]:
    """Raise aiohttp's errors as those of httpx2, with the original as their cause."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise _as_httpx2(error) from error


def _as_httpx2(error: Exception) -> httpx2.TransportError:
    message = type(error).__name__  # its own text may contain the address
    if isinstance(error, aiohttp.SocketTimeoutError):
        return httpx2.ReadTimeout(message)
    if isinstance(error, TimeoutError):
        return httpx2.ConnectTimeout(message)
    if isinstance(error, aiohttp.ClientConnectorError):
        return httpx2.ConnectError(message)
    if isinstance(error, ValueError):  # an unusable address
        return httpx2.UnsupportedProtocol(message)
    return httpx2.ReadError(message)
