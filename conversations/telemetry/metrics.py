"""The process's metrics for Prometheus. Each process counts for itself and starts at zero.

Nothing here is touched for each chunk: a generation is observed at its end, and gauges are read at each scrape.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from conversations.rules.status import REASONS

registry = CollectorRegistry()
ProcessCollector(registry=registry)

GENERATIONS = Counter(
    "chat_generations", "Generations that ended, by status and reason.", ["status", "reason"], registry=registry
)
for _status, _reasons in REASONS.items():
    for _reason in _reasons:  # start at zero, so that the first of its kind counts as an increase
        GENERATIONS.labels(_status.value, _reason.value)

STOP_DURATION = Histogram(
    "chat_stop_seconds",
    "From the request to stop until the connection to the provider was closed.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=registry,
)
FIRST_TOKEN_DURATION = Histogram(
    "chat_first_token_seconds",
    "From the beginning of a generation until its first token.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=registry,
)
EVENT_LOOP_DELAY = Histogram(
    "chat_event_loop_late_seconds",
    "How late the event loop ran a timer that is due four times a second.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=registry,
)
TOKENS = Counter(
    "chat_tokens", "Tokens of ended generations: of prompts (in) and of answers (out).", ["kind"], registry=registry
)
TOKENS_IN, TOKENS_OUT = TOKENS.labels("in"), TOKENS.labels("out")
ENDINGS_REFUSED = Counter(
    "chat_endings_refused",
    "Attempts to save the end of a generation that the database refused; each is retried later.",
    registry=registry,
)
UPSTREAMS = Gauge("chat_upstreams_open", "Requests to providers that are open now.", registry=registry)

_gauges: list[tuple[Gauge, Callable[[], float]]] = []


def count_end(status: str, reason: str, count: int = 1) -> None:
    """Count ended generations. May be called from any thread."""
    GENERATIONS.labels(status, reason).inc(count)


def observe(*, stop: float | None, first_token: float | None, tokens_in: int | None, tokens_out: int | None) -> None:
    """Observe the durations in seconds and the tokens of a generation that ended in this process. A value is None if it
    is unknown or the generation ended before it."""
    if stop is not None:
        STOP_DURATION.observe(max(0.0, stop))
    if first_token is not None:
        FIRST_TOKEN_DURATION.observe(max(0.0, first_token))
    TOKENS_IN.inc(tokens_in or 0)
    TOKENS_OUT.inc(tokens_out or 0)


def add_gauges(gauges: Iterable[tuple[str, str, Callable[[], float]]]) -> None:
    """Add gauges as (name, description, function for the current value). The functions are called on the event loop, at
    each scrape."""
    _gauges.extend((Gauge(name, description, registry=registry), value) for name, description, value in gauges)


async def exposition(headers: Mapping[str, str]) -> tuple[bytes, str]:
    """All metrics and their content type: OpenMetrics if the `accept` header prefers it. May be cancelled.

    Gauges are read on the event loop, where their values change. Encoding takes milliseconds, so it runs on a thread.
    """
    for gauge, value in _gauges:
        gauge.set(value())
    encode, content_type = choose_encoder(headers.get("accept", ""))
    return await asyncio.to_thread(encode, registry), content_type
