"""Describes in a few words why a request to a provider failed, without addresses and secrets."""

import socket
import ssl
from collections.abc import Iterator

import aiohttp

from conversations.rules.provider_error_outcomes import ProviderError

DESCRIPTIONS: tuple[tuple[type[BaseException], str], ...] = (
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
"""Kinds of errors and their descriptions. The first match counts, so a subclass comes before its base class."""


def describe(error: BaseException) -> str:
    """Why a request failed, for the log; never empty."""
    if isinstance(error, ProviderError):
        outcome = error.outcome
        status = f"HTTP status {outcome.code}" if outcome.code.isdigit() else outcome.code
        return ", ".join(part for part in (status, outcome.detail) if part) or outcome.reason.value
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__


def describe_cause(error: BaseException) -> str:
    """The description of the first known kind among an error and its causes; else the class name of the innermost."""
    chain = list(causes(error))
    known = (words for kind, words in DESCRIPTIONS if any(isinstance(cause, kind) for cause in chain))
    return next(known, type(chain[-1]).__name__)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, its cause, the cause of that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
