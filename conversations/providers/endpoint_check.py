"""Tests the connection to an endpoint for the admin: requests its list of models and one token of an answer.

The list alone proves little: some servers give it to everybody, so only an answer shows that the key is right; others
have no list.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2
from aiohttp import ClientConnectorDNSError
from asgiref.sync import async_to_sync
from django.utils.translation import gettext as _

from conversations.providers.demo.server import MODEL as DEMO_MODEL
from conversations.rules.endpoint_url import is_endpoint_url
from conversations.rules.provider_error_outcomes import ProviderError
from conversations.rules.status import NO_CREDIT

from . import model_list, short_answer
from .client import ProviderClient
from .connection_error_text import causes
from .endpoints import Endpoint
from .model_list import ListedModel

LIST_TIMEOUT, TOKEN_TIMEOUT = 10.0, 20.0
"""Seconds that the list and the answer may take."""

QUESTION = [{"role": "user", "content": "Say hello."}]


@dataclass(frozen=True, slots=True)
class Result:
    """`sentence` tells the administrator what is wrong, or which model answered. `models`: the endpoint's list, by
    name."""

    works: bool
    sentence: str
    models: tuple[ListedModel, ...] = ()


def check(endpoint: Endpoint, known: Sequence[str] = ()) -> Result:
    """Request the list, and one token from the first of the `known` models or else from a listed one.

    Blocks for up to 30 seconds, so it belongs on a thread. The result contains nothing that the endpoint sent except
    names of models.
    """
    if endpoint.demo:
        return Result(True, _("The demo model is built in; it needs no connection."), (ListedModel(DEMO_MODEL),))
    if endpoint.missing:
        return Result(False, missing_variable(endpoint.missing))
    return async_to_sync(_test)(endpoint, known)


def missing_variable(variable: str) -> str:
    return _("The environment variable %(name)s is not set on the server or does not contain a usable key.") % {
        "name": variable
    }


async def _test(endpoint: Endpoint, known: Sequence[str]) -> Result:
    if not is_endpoint_url(endpoint.base_url):
        return Result(False, _("This address cannot be used: its host name is not valid."))
    provider = ProviderClient(endpoint)
    try:
        return await _request_models(provider, known)
    finally:
        await provider.close()


async def _request_models(provider: ProviderClient, known: Sequence[str]) -> Result:
    listed: tuple[ListedModel, ...] = ()
    try:
        async with asyncio.timeout(LIST_TIMEOUT):
            listed = await provider.models()
    except (ProviderError, TimeoutError) as error:
        if not (known and _has_no_list(error)):
            return Result(False, _sentence(error, provider.endpoint))
    model = _model_to_ask(listed, known)
    if model is None:
        return Result(False, _no_model(listed), listed)
    return await _request_token(provider, model, listed)


def _model_to_ask(listed: Sequence[ListedModel], known: Sequence[str]) -> str | None:
    """The name of the model to test: one that people may choose, if possible."""
    if known:
        return known[0]
    fit = model_list.preferred(listed) or next((model for model in listed if model.chats), None)
    return fit.name if fit is not None else None


def _has_no_list(error: ProviderError | TimeoutError) -> bool:
    """Whether the endpoint seems to have no list; it may answer anyway."""
    return isinstance(error, ProviderError) and error.outcome.code in ("400", "404", "405", "501", "malformed")


def _no_model(listed: Sequence[ListedModel]) -> str:
    if listed:
        return _("It lists models, but none looks like a chat model. Add the one you want and test again.")
    return _("It answers, but lists no models. Some servers list none: add one by hand, and test again.")


async def _request_token(provider: ProviderClient, model: str, listed: tuple[ListedModel, ...]) -> Result:
    try:
        async with asyncio.timeout(TOKEN_TIMEOUT):
            await short_answer.ShortRequests().ask(provider, model, QUESTION, 1, short_answer.ShortAnswer())
    except (ProviderError, TimeoutError) as error:
        return Result(False, _no_answer(error, model, provider.endpoint, listed=bool(listed)), listed)
    return Result(True, _("It works. “%(model)s” answers.") % {"model": model}, listed)


def _no_answer(error: ProviderError | TimeoutError, model: str, endpoint: Endpoint, *, listed: bool) -> str:
    """What is wrong after the request for a token. If the endpoint gave a list before, its address is right."""
    code = error.outcome.code if isinstance(error, ProviderError) else ""
    facts = {"model": model, "code": code}
    if isinstance(error, TimeoutError):
        return _("“%(model)s” does not answer in time. Perhaps it is being loaded; then try again.") % facts
    if code == "404" and listed:
        return _("It lists models, but does not know “%(model)s” (HTTP status 404).") % facts
    if code in ("400", "422"):
        return (
            _(
                "It refuses a message to “%(model)s” (HTTP status %(code)s). It may not be a chat model; "
                "gateways such as LiteLLM also respond this way to a wrong key."
            )
            % facts
        )
    return _sentence(error, endpoint)


def _sentence(error: ProviderError | TimeoutError, endpoint: Endpoint) -> str:
    code = error.outcome.code if isinstance(error, ProviderError) else ""
    if code in ("401", "403"):
        return _("It rejected the key (HTTP status %(code)s).") % {"code": code}
    if code == "400":
        return _("It refuses the request (HTTP status 400). Gateways such as LiteLLM respond this way to a wrong key.")
    if code == NO_CREDIT:
        return _("The account there has no credit left. Address and key are probably right.")
    if code == "429":
        return _("It reports too many requests (HTTP status 429). Address and key are probably right.")
    if code.startswith("3"):
        return _("It redirects to another address, which is not followed with the key. Enter the final address.")
    if code.startswith("5"):
        return _("It reports an internal error (HTTP status %(code)s). Try again later.") % {"code": code}
    if code:
        return _(
            "Something answers, but not an OpenAI-compatible API with a list of models (%(code)s). The address usually "
            "ends in /v1. If the server has no such list, add a model by hand, and test again."
        ) % {"code": code}
    return _unreachable(list(causes(error)), endpoint)


def _unreachable(chain: list[BaseException], endpoint: Endpoint) -> str:
    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in chain)

    if caused_by(ssl.SSLCertVerificationError):
        return _("Its TLS certificate is not valid or not trusted by the server.")
    if caused_by(ssl.SSLError):
        return _("The TLS handshake failed. If it uses plain http, the address must begin with http://.")
    if caused_by(ClientConnectorDNSError):
        return _("Its host name is not known.")
    if caused_by(ConnectionRefusedError):
        return _("Nothing answers there: the connection is refused. Check host and port, and whether it runs.")
    return _silent_or_broken(endpoint, silent=caused_by(TimeoutError, httpx2.TimeoutException))


def _silent_or_broken(endpoint: Endpoint, *, silent: bool) -> str:
    encrypted = endpoint.base_url.startswith("https:")
    if silent and encrypted:
        return _("It does not answer in time. If it speaks plain http, the address has to begin with http://.")
    if silent:
        return _("It does not answer in time.")
    if encrypted:
        return _("It cannot be reached or drops the connection.")
    return _(
        "It cannot be reached or drops the connection. If it speaks https, the address has to begin with https://."
    )
