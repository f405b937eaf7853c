"""What the service counts for Prometheus. Nothing here is touched per delta: runs are observed where they begin to ask
and where they end, and what there is at the moment is looked up when somebody reads it.

Each process counts for itself and starts at zero.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from conversations.rules.status import REASONS

registry = CollectorRegistry()
ProcessCollector(registry=registry)

RUNS = Counter("chat_runs", "Runs that ended, by how and why.", ["status", "reason"], registry=registry)
for _status, _reasons in REASONS.items():
    for _reason in _reasons:  # from zero on, so that the first of a kind is an increase, too
        RUNS.labels(_status.value, _reason.value)

STOP = Histogram(
    "chat_stop_seconds",
    "From the moment a stop was asked for until the connection to the provider was closed.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=registry,
)
FIRST_TOKEN = Histogram(
    "chat_first_token_seconds",
    "From the moment a run began until its first token.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=registry,
)
LATE = Histogram(
    "chat_event_loop_late_seconds",
    "How late the event loop was for a timer, four times a second: what it was held up by, or the machine.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=registry,
)
TOKENS = Counter(
    "chat_tokens", "Tokens of runs that ended: of prompts (in), of answers (out).", ["kind"], registry=registry
)
TOKENS_IN, TOKENS_OUT = TOKENS.labels("in"), TOKENS.labels("out")
ENDINGS_REFUSED = Counter(
    "chat_endings_refused",
    "Attempts to save the end of a run that the database refused; each is tried again later.",
    registry=registry,
)
_watched: list[tuple[Gauge, Callable[[], float]]] = []
UPSTREAMS = Gauge("chat_upstreams_open", "Requests to providers that are open now.", registry=registry)


def ended(status: str, reason: str, count: int = 1) -> None:
    """So many runs ended like this. May be called from any thread."""
    RUNS.labels(status, reason).inc(count)


def observe(*, stop: float | None, first_token: float | None, tokens_in: int | None, tokens_out: int | None) -> None:
    """What a run that ended here has taken; seconds and tokens, None where it did not come to it."""
    if stop is not None:
        STOP.observe(max(0.0, stop))
    if first_token is not None:
        FIRST_TOKEN.observe(max(0.0, first_token))
    TOKENS_IN.inc(tokens_in or 0)
    TOKENS_OUT.inc(tokens_out or 0)


def watch(gauges: Iterable[tuple[str, str, Callable[[], float]]]) -> None:
    """Look these up (name, meaning, current value) whenever somebody reads."""
    _watched.extend((Gauge(name, meaning, registry=registry), value) for name, meaning, value in gauges)


async def exposition(headers: Mapping[str, str]) -> tuple[bytes, str]:
    """All of it, and its content type: OpenMetrics where the reader prefers that. Values are looked up on the event
    loop, to which they belong; writing takes milliseconds, so a thread does it. May be cancelled."""
    for gauge, value in _watched:
        gauge.set(value())
    encode, content_type = choose_encoder(headers.get("accept", ""))
    return await asyncio.to_thread(encode, registry), content_type
