"""Security headers of every response, whether it comes from Django, the static files or the probes.

Django's middleware does not see static files, and does not know the newer of these headers.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

DISABLED_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
"""Browser features that the page never uses, so nothing on it may. It does use the clipboard."""

ALWAYS_SENT = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in DISABLED_FEATURES).encode()),
)


class ResponseHeaders:
    """ASGI middleware that adds the headers which a response does not set itself."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._strict = ((b"strict-transport-security", hsts().encode()),) if settings.HTTPS else ()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        wanted = (*ALWAYS_SENT, *self._strict) if _is_secure(scope) else ALWAYS_SENT

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = {bytes(name).lower() for name, _value in headers}
                message = {**message, "headers": [*headers, *(each for each in wanted if each[0] not in given)]}
            await send(message)

        await self._application(scope, receive, complete)


def hsts() -> str:
    """The value of `Strict-Transport-Security`, as Django's `SecurityMiddleware` writes it."""
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS:
        parts.append("includeSubDomains")
    if settings.SECURE_HSTS_PRELOAD:
        parts.append("preload")
    return "; ".join(parts)


def _is_secure(scope: Scope) -> bool:
    """Whether the proxy says that the browser used https."""
    return any(name == b"x-forwarded-proto" and value == b"https" for name, value in scope["headers"])
