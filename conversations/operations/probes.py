"""`/healthz`, `/readyz` and `/metrics`: asked by machines, every few seconds, without a session.

Answered before Django sees them: its middleware would redirect a probe to HTTPS, refuse the address of a container as a
host name, or ask the database who is there.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from conversations.generation.supervisor import supervisor
from conversations.telemetry import metrics

from .health import Health

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
Answer = tuple[int, bytes, str]
"""Status, body, content type."""

TEXT = "text/plain; charset=utf-8"
HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]

health = Health(supervisor)

metrics.add_gauges(
    [
        ("chat_generations_streaming", "Generations that this process streams now.", lambda: len(supervisor.live)),
        ("chat_viewers", "Pages that show a conversation.", lambda: sum(1 for _ in supervisor.sockets.conversations())),
        ("chat_sockets", "Pages that are connected.", lambda: len(supervisor.sockets.all())),
        (
            "chat_journal_lag_seconds",
            "Since text was last saved, or the attempt.",
            lambda: supervisor.journal.unavailable_for(),
        ),
    ]
)


class Probes:
    """Wraps the application for pages."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        probe = PROBES.get(scope["path"])
        if probe is None or (probe is _metrics and not settings.METRICS_TOKEN):
            await self._pages(scope, receive, send)
            return
        allowed = scope["method"] in ("GET", "HEAD")
        await _send(send, await probe(_headers(scope)) if allowed else (405, b"", TEXT))


async def _alive(headers: dict[str, str]) -> Answer:
    """The event loop answers; nothing more is asked of anybody."""
    return 200, b"alive\n", TEXT


async def _ready(headers: dict[str, str]) -> Answer:
    fault = await health.fault()
    return (503, f"not ready: {fault}\n".encode(), TEXT) if fault else (200, b"ready\n", TEXT)


async def _metrics(headers: dict[str, str]) -> Answer:
    given = headers.get("authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return 401, b"", TEXT
    return 200, *await metrics.exposition(headers)


PROBES: dict[str, Callable[[dict[str, str]], Awaitable[Answer]]] = {
    "/healthz": _alive,
    "/readyz": _ready,
    "/metrics": _metrics,
}


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _send(send: Any, answer: Answer) -> None:
    status, body, kind = answer
    more = {401: [(b"www-authenticate", b"Bearer")], 405: [(b"allow", b"GET, HEAD")]}.get(status, [])
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *HEADERS, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
