"""Endpoints as this process reaches them: addresses with their keys, which are read from the environment."""

import os
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from django.conf import settings

from conversations import models

OWN_SECRETS = settings.ENVIRONMENT_VARIABLES - {"OPENAI_API_KEY"}
"""The product's own environment variables, which are never sent to a provider."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible base URL and its key, which is sent to that URL only.

    `missing` is the name of the environment variable that should contain the key but does not. `row` is the id of the
    endpoint's record (0 without one), `prefix` the beginning of its models' keys. Timeouts are in seconds.
    """

    base_url: str
    key: str = field(repr=False)
    name: str = ""
    demo: bool = False
    missing: str = ""
    connect_timeout: float | None = None
    first_token_timeout: float | None = None
    silence_timeout: float | None = None
    row: int = 0
    prefix: str = ""

    def __str__(self) -> str:
        return self.name or host(self.base_url)


def host(base_url: str) -> str:
    """The host of an address, without path, user or password: what administrators see."""
    return urlsplit(base_url).hostname or ""


def from_environment() -> Endpoint:
    """The endpoint of `OPENAI_BASE_URL`, or the demo model without that setting."""
    if not settings.OPENAI_BASE_URL:
        return demo()
    return Endpoint(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, host(settings.OPENAI_BASE_URL))


def demo(name: str = "demo") -> Endpoint:
    """The demo model. `client_pool` adds its address and key once it has started."""
    return Endpoint("", "", name, demo=True)


def from_row(row: models.Endpoint) -> Endpoint:
    """The endpoint of an administrator's record, with its key from this process's environment."""
    if not row.base_url:
        return replace(demo(row.name), row=row.pk or 0, prefix=row.prefix)
    key = key_in(row.key_variable, row.base_url)
    return Endpoint(
        base_url=row.base_url.rstrip("/"),
        key=key,
        name=row.name,
        missing=row.key_variable if row.key_variable and not key else "",
        connect_timeout=row.connect_timeout,
        first_token_timeout=row.first_token_timeout,
        silence_timeout=row.silence_timeout,
        row=row.pk or 0,
        prefix=row.prefix,
    )


def key_in(variable: str, base_url: str) -> str:
    """The key in an environment variable; "" if it is empty, may not be sent to this address, or contains characters
    that a header cannot."""
    key = os.environ.get(variable, "").strip() if may_be_sent(variable, base_url) else ""
    return key if key.isascii() and key.isprintable() else ""


def may_be_sent(variable: str, base_url: str) -> bool:
    """Whether the value of this variable may be sent to this address: only if `CHAT_PROVIDER_KEYS` allows it, and never
    if it is one of the installation's own secrets, so that editing an endpoint cannot expose them."""
    return variable not in OWN_SECRETS and any(
        _matches(variable, name) and place in ("", host(base_url))
        for name, _at, place in (allowed.partition("@") for allowed in settings.CHAT_PROVIDER_KEYS)
    )


def _matches(variable: str, name: str) -> bool:
    return variable.startswith(name[:-1]) and len(variable) >= len(name) if name.endswith("*") else variable == name
