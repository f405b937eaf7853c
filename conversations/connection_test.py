"""The administration's question to an endpoint: which models it lists; and what is wrong, in words."""

import ssl
from dataclasses import dataclass

import httpx2
from aiohttp import ClientConnectorDNSError
from asgiref.sync import async_to_sync
from django.utils.translation import gettext as _

from .chunks import ProviderError
from .demo.server import MODEL as DEMO_MODEL
from .endpoints import Endpoint
from .llm import Provider


@dataclass(frozen=True, slots=True)
class Result:
    """`sentence` says what is wrong, or how many models are listed in `names`."""

    works: bool
    sentence: str
    names: tuple[str, ...] = ()


def run(endpoint: Endpoint) -> Result:
    """Ask the endpoint now; takes at most a few seconds. Nothing of its answer but the names of models is passed on."""
    if endpoint.demo:
        return Result(True, _("The demo model is built in; it needs no connection."), (DEMO_MODEL,))
    if endpoint.missing:
        return Result(False, missing_variable(endpoint.missing))
    try:
        names = async_to_sync(_ask)(endpoint)
    except ProviderError as error:
        return Result(False, _sentence(error))
    if not names:
        return Result(False, _("It answers, but lists no models. Some servers list none; add them by hand then."))
    return Result(True, _("It works."), tuple(sorted(set(names))))


def missing_variable(variable: str) -> str:
    return _("The environment variable %(name)s is not set on the server, or holds nothing that can be a key.") % {
        "name": variable
    }


async def _ask(endpoint: Endpoint) -> list[str]:
    provider = Provider(endpoint)
    try:
        return await provider.models()
    finally:
        await provider.close()


def _sentence(error: ProviderError) -> str:
    code = error.outcome.code
    if code in ("401", "403"):
        return _("It refuses the key (HTTP status %(code)s).") % {"code": code}
    if code == "429":
        return _("It asks to slow down (HTTP status 429). Address and key are probably right.")
    if code.startswith("3"):
        return _("It redirects to another address, which is not followed with the key. Enter the final address.")
    if code.startswith("5"):
        return _("It has a problem of its own (HTTP status %(code)s). Try again later.") % {"code": code}
    if code:
        return _("Something answers, but not an OpenAI-compatible API. The address usually ends in /v1. (%(code)s)") % {
            "code": code
        }
    return _unreachable(_causes(error))


def _causes(error: BaseException | None) -> list[BaseException]:
    causes = []
    while error is not None:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _unreachable(causes: list[BaseException]) -> str:
    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(ssl.SSLCertVerificationError):
        return _("Its TLS certificate is not valid or not trusted by the server.")
    if caused_by(ssl.SSLError):
        return _("TLS fails. Perhaps it speaks plain http: then the address has to begin with http://.")
    if caused_by(ClientConnectorDNSError):
        return _("Its host name is not known.")
    if caused_by(ConnectionRefusedError):
        return _("Nothing answers there: the connection is refused. Check host and port, and whether it runs.")
    if caused_by(TimeoutError, httpx2.TimeoutException):
        return _("It does not answer in time.")
    return _("It cannot be reached, or breaks the connection.")
