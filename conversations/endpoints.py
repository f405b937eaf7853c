"""Where answers come from, as this process reaches it: an endpoint with its key, read from the environment."""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings

from chatapp.environment import Environment

from . import models

OWN_SECRETS = frozenset(Environment.__annotations__) - {"OPENAI_API_KEY"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible base URL and its key. The key never leaves the process but to that URL.

    `missing` names the environment variable that should hold the key and does not. Timeouts are in seconds.
    """

    base_url: str
    key: str = field(repr=False)
    name: str = ""
    demo: bool = False
    missing: str = ""
    connect_timeout: float | None = None
    first_token_timeout: float | None = None
    silence_timeout: float | None = None

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
        return demo(row.name)
    key = key_in(row.key_variable)
    return Endpoint(
        base_url=row.base_url.rstrip("/"),
        key=key,
        name=row.name,
        missing=row.key_variable if row.key_variable and not key else "",
        connect_timeout=row.connect_timeout,
        first_token_timeout=row.first_token_timeout,
        silence_timeout=row.silence_timeout,
    )


def key_in(variable: str) -> str:
    """The key that this environment variable holds; "" if it holds none, or one that no header can carry."""
    key = os.environ.get(variable, "").strip() if may_hold_a_key(variable) else ""
    return key if key.isascii() and key.isprintable() else ""


def may_hold_a_key(variable: str) -> bool:
    """Whether the value of this variable may be sent to an endpoint: those of the installation's own secrets never,
    whoever may edit endpoints."""
    word = variable.upper()
    return variable not in OWN_SECRETS and ("KEY" in word or "TOKEN" in word)
