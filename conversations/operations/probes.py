"""`/healthz`, `/readyz` and `/metrics`, requested by machines every few seconds without a session.

They are answered before Django: its middleware would redirect a probe to HTTPS, reject a container's address as a host
name, or query the database for the session.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from conversations.generation.supervisor import supervisor
from conversations.telemetry import metrics

from .readiness import Readiness

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
Response = tuple[int, bytes, str]
"""Status, body, content type."""

PLAIN_TEXT = "text/plain; charset=utf-8"
HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]

readiness = Readiness(supervisor)

metrics.add_gauges(
    [
        ("chat_generations_streaming", "Generations that this process is streaming.", lambda: len(supervisor.live)),
        ("chat_viewers", "Pages that show a conversation.", lambda: sum(1 for _ in supervisor.sockets.conversations())),
        ("chat_sockets", "Pages that are connected.", lambda: len(supervisor.sockets.all())),
        (
            "chat_journal_lag_seconds",
            "Seconds since the last successful save.",
            lambda: supervisor.journal.unavailable_for(),
        ),
    ]
)


class Probes:
    """ASGI middleware: answers probes and passes everything else on to `pages`."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        probe = PROBES.get(scope["path"])
        if probe is None or (probe is _metrics and not settings.METRICS_TOKEN):
            await self._pages(scope, receive, send)
            return
        allowed = scope["method"] in ("GET", "HEAD")
        await _send(send, await probe(_headers(scope)) if allowed else (405, b"", PLAIN_TEXT))


async def _alive(headers: dict[str, str]) -> Response:
    """That it answers shows that the event loop runs; nothing else is checked."""
    return 200, b"alive\n", PLAIN_TEXT


async def _ready(headers: dict[str, str]) -> Response:
    fault = await readiness.fault()
    return (503, f"not ready: {fault}\n".encode(), PLAIN_TEXT) if fault else (200, b"ready\n", PLAIN_TEXT)


async def _metrics(headers: dict[str, str]) -> Response:
    given = headers.get("authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return 401, b"", PLAIN_TEXT
    return 200, *await metrics.exposition(headers)


PROBES: dict[str, Callable[[dict[str, str]], Awaitable[Response]]] = {
    "/healthz": _alive,
    "/readyz": _ready,
    "/metrics": _metrics,
}


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _send(send: Any, answer: Response) -> None:
    status, body, kind = answer
    more = {401: [(b"www-authenticate", b"Bearer")], 405: [(b"allow", b"GET, HEAD")]}.get(status, [])
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *HEADERS, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
