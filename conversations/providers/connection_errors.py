"""Why a connection failed, in a few words that name no address."""

import socket
import ssl
from collections.abc import Iterator

import aiohttp

KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its TLS certificate is not trusted"),
    (aiohttp.ClientConnectorDNSError, "its host name is not known"),
    (socket.gaierror, "its host name is not known"),
    (ConnectionRefusedError, "connection refused"),
    (ssl.SSLError, "TLS failed"),
    (aiohttp.ServerDisconnectedError, "it closed the connection without an answer"),
    (ConnectionResetError, "connection reset"),
    (aiohttp.ClientPayloadError, "it broke the connection off"),
    (aiohttp.ClientResponseError, "what it says is not HTTP"),
    (TimeoutError, "it did not answer in time"),
)


def why(error: BaseException) -> str:
    """The first known kind among an error and its causes; else the name of the innermost."""
    causes = list(_causes(error))
    known = (words for kind, words in KINDS if any(isinstance(cause, kind) for cause in causes))
    return next(known, type(causes[-1]).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
