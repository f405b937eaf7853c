"""Builds the record of an end, which the database keeps."""

import time
import uuid
from datetime import UTC, datetime, timedelta

from conversations.models import UsageSource
from conversations.providers.token_counter import estimated_tokens
from conversations.rules.ending_record import Ending
from conversations.rules.lifecycle import Lifecycle
from conversations.rules.status import EndReason, Outcome
from conversations.rules.stop_request import StopRequest

from .stored_start import Started

INTERNAL = "internal"
"""Error code of a failure that is not the provider's."""


def full(
    started: Started,
    lifecycle: Lifecycle,
    usage: tuple[int, int] | None,
    *,
    stopped_by: StopRequest | None,
    stop_requested_at: datetime | None,
    upstream_closed_at: datetime | None,
) -> Ending:
    """The end of a generation that was run, with all figures, which are also set on `started.generation`.

    `usage`: tokens in and out as the provider reported them; None if it did not. Raises RuntimeError before the outcome
    is decided.
    """
    outcome = lifecycle.outcome
    if outcome is None:
        raise RuntimeError("a generation ends after its outcome is decided")
    generation = started.generation
    generation.tokens_in, generation.tokens_out, generation.usage_source = _tokens(started, lifecycle, usage)
    generation.cost = generation.price()
    return Ending(
        generation=generation.pk,
        status=outcome.status,
        reason=outcome.reason,
        text=lifecycle.text,
        characters=lifecycle.written,
        code=outcome.code,
        detail=outcome.detail,
        retry_after=outcome.retry_after,
        opened_at=_time_of_day(lifecycle.opened_at),
        first_token_at=_time_of_day(lifecycle.first_token_at),
        stop_requested_at=stop_requested_at,
        stop_origin=stopped_by.origin.value if stopped_by else "",
        stopped_by=stopped_by.person if stopped_by else None,
        upstream_closed_at=upstream_closed_at,
        tokens_in=generation.tokens_in,
        tokens_out=generation.tokens_out,
        thought_tokens=lifecycle.thought_tokens,
        usage_source=generation.usage_source,
        cost=generation.cost,
    )


def bare(generation: uuid.UUID, lifecycle: Lifecycle) -> Ending:
    """The end of a generation whose figures cannot be determined: outcome and text only."""
    outcome = lifecycle.outcome or Outcome(EndReason.PROVIDER_FAILED, code=INTERNAL)
    return Ending(generation, outcome.status, outcome.reason, lifecycle.text, lifecycle.written, outcome.code)


def of_unlaunched(started: Started) -> Ending:
    """The end of a generation that is stored in the database and could not be launched."""
    reason, text = EndReason.PROVIDER_FAILED, started.answer.content
    detail = "it could not be launched"
    return Ending(started.generation.pk, reason.status, reason, text, 0, code=INTERNAL, detail=detail)


def _tokens(
    started: Started, lifecycle: Lifecycle, usage: tuple[int, int] | None
) -> tuple[int | None, int | None, str]:
    """(in, out, source). Providers report usage after the last token, so a stopped answer never has it. Until its
    tokens are counted, it gets an estimate that is no smaller than the number of chunks that arrived."""
    if usage is not None:
        return *usage, UsageSource.PROVIDER
    if lifecycle.opened_at is None:
        return None, None, ""
    sent = sum(len(turn["content"]) for turn in started.turns)
    written = max(lifecycle.tokens, estimated_tokens(lifecycle.written))
    return estimated_tokens(sent), written + lifecycle.thought_tokens, UsageSource.ESTIMATED


def _time_of_day(at: float | None) -> datetime | None:
    """Convert a moment on `time.monotonic`'s clock."""
    return None if at is None else datetime.now(UTC) - timedelta(seconds=time.monotonic() - at)
