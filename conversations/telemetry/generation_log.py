"""Records the end of each generation for operators: one line in the log, and the metrics. Never any text.

A stopped answer is logged like a complete one; only errors are warnings.
"""

import logging
import time
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from conversations.rules.status import CODE, EndReason, Status

from . import metrics

if TYPE_CHECKING:
    from conversations.models import Generation
    from conversations.rules.ending_record import Ended, Ending
    from conversations.rules.lifecycle import Lifecycle

logger = logging.getLogger("conversations.generations")

Field = str | int | None


def ended(generation: "Generation", lifecycle: "Lifecycle", ending: "Ending", ended: "Ended") -> None:
    """Record the end of a generation of this process. `ended` is its stored state; if another process ended it first,
    that process counts it."""
    stop = _seconds_between(ending.stop_requested_at, ending.upstream_closed_at)
    first_token = None if lifecycle.first_token_at is None else lifecycle.first_token_at - lifecycle.began_at
    opened = None if lifecycle.opened_at is None else lifecycle.opened_at - lifecycle.began_at
    if ended.won or ended.reason == EndReason.DELETED:
        metrics.count_end(ended.status.value, ended.reason)
    metrics.observe(stop=stop, first_token=first_token, tokens_in=ending.tokens_in, tokens_out=ending.tokens_out)
    _log(
        generation.pk,
        ended.status.value,
        ended.reason,
        code=ending.code if ended.won and CODE.fullmatch(ending.code) else "",
        stopped_from=ending.stop_origin,
        conversation=str(generation.conversation_id),
        user=generation.requested_by_id,
        kind=generation.kind,
        model=generation.model,
        endpoint=generation.endpoint,
        opened_ms=_milliseconds(opened),
        first_token_ms=_milliseconds(first_token),
        stop_ms=_milliseconds(stop),
        total_ms=_milliseconds(time.monotonic() - lifecycle.began_at),
        characters=ending.characters,
        tokens_in=ending.tokens_in,
        tokens_out=ending.tokens_out,
        usage=ending.usage_source,
    )


def reaped(generations: Iterable[uuid.UUID], reason: EndReason) -> None:
    """Record generations that this process ended for another one. May be called from any thread."""
    for generation in generations:
        metrics.count_end(Status.INTERRUPTED.value, reason.value)
        _log(generation, Status.INTERRUPTED.value, reason.value)


def _log(generation: uuid.UUID, status: str, reason: str, **more: Field) -> None:
    """Log one line. Fields that are None or empty are left out."""
    given = {name: value for name, value in more.items() if value not in (None, "")}
    fields = {"event": "generation_ended", "generation": str(generation), "status": status, "reason": reason, **given}
    logger.log(
        logging.WARNING if status == Status.ERROR else logging.INFO,
        "generation %s: %s, %s %s",
        generation,
        status,
        reason,
        " ".join(f"{name}={value}" for name, value in given.items()),
        extra={"fields": fields},
    )


def _seconds_between(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()


def _milliseconds(seconds: float | None) -> int | None:
    """Whole milliseconds, never negative: the two clocks may differ."""
    return None if seconds is None else max(0, round(seconds * 1000))
