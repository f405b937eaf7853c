"""Where answers come from, as this process reaches it: an endpoint with its key, read from the environment."""

import os
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from django.conf import settings

from conversations import models

OWN_SECRETS = settings.ENVIRONMENT_VARIABLES - {"OPENAI_API_KEY"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible base URL and its key. The key never leaves the process but to that URL.

    `missing` names the environment variable that should hold the key and does not. `row` and `prefix` are those of the
    administration's record; 0 without one. Timeouts are in seconds.
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
    """What administrators see of an address: without path, user or password."""
    return urlsplit(base_url).hostname or ""


def of_environment() -> Endpoint:
    """The endpoint of `OPENAI_BASE_URL`; without that, the demo."""
    if not settings.OPENAI_BASE_URL:
        return demo()
    return Endpoint(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, host(settings.OPENAI_BASE_URL))


def demo(name: str = "demo") -> Endpoint:
    """The demo, whose address and key are known only once it runs (`providers`)."""
    return Endpoint("", "", name, demo=True)


def of_row(row: models.Endpoint) -> Endpoint:
    """An endpoint as the administrator wrote it down, with the key of this process's environment."""
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
    """The key for this address that the environment variable holds; "" if it holds none, or one that no header can
    carry, or one that may not go there."""
    key = os.environ.get(variable, "").strip() if may_be_sent(variable, base_url) else ""
    return key if key.isascii() and key.isprintable() else ""


def may_be_sent(variable: str, base_url: str) -> bool:
    """Whether the value of this variable may go to this address: only of those that `CHAT_PROVIDER_KEYS` names, and of
    the installation's own secrets never, whoever may edit endpoints."""
    return variable not in OWN_SECRETS and any(
        _fits(variable, name) and place in ("", host(base_url))
        for name, _at, place in (allowed.partition("@") for allowed in settings.CHAT_PROVIDER_KEYS)
    )


def _fits(variable: str, name: str) -> bool:
    return variable.startswith(name[:-1]) and len(variable) >= len(name) if name.endswith("*") else variable == name
