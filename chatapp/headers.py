"""Headers of every answer, whoever gives it: Django, the server of static files, the probes.

Django's own middleware does not see files, and knows nothing of the newer ones of these.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

UNUSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
"""What the page never asks the browser for, and so nothing within it may. Copying to the clipboard is not among it."""

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in UNUSED).encode()),
)


class Headers:
    """Adds what an answer does not say itself."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._strict = ((b"strict-transport-security", hsts().encode()),) if settings.HTTPS else ()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        wanted = (*ALWAYS, *self._strict) if _is_secure(scope) else ALWAYS

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = list(message.get("headers", ()))
                given = {bytes(name).lower() for name, _value in said}
                message = {**message, "headers": [*said, *(each for each in wanted if each[0] not in given)]}
            await send(message)

        await self._application(scope, receive, complete)


def hsts() -> str:
    """As Django's `SecurityMiddleware` writes it."""
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS:
        parts.append("includeSubDomains")
    if settings.SECURE_HSTS_PRELOAD:
        parts.append("preload")
    return "; ".join(parts)


def _is_secure(scope: Scope) -> bool:
    """Whether the browser came by https, as the proxy says."""
    return any(name == b"x-forwarded-proto" and value == b"https" for name, value in scope["headers"])
