"""What the end of a run tells those who look after the service: one line in the log, and the metrics. Never contents.

A stop is no failure, so it is told as calmly as a complete answer; only errors are warnings.
"""

import logging
import time
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from conversations.rules.status import EndReason, Status

from . import metrics

if TYPE_CHECKING:
    from conversations.models import Generation
    from conversations.rules.ending import Ended, Ending
    from conversations.rules.lifecycle import Lifecycle
from conversations.rules.status import CODE

logger = logging.getLogger(__name__)


Field = str | int | None


def ended(run: "Generation", lifecycle: "Lifecycle", ending: "Ending", ended: "Ended") -> None:
    """A run of this process ended. `ended`: how it stands; where another process had ended it before, that one counts
    it."""
    stop = _between(ending.stop_requested_at, ending.upstream_closed_at)
    first_token = None if lifecycle.first_token_at is None else lifecycle.first_token_at - lifecycle.began_at
    opened = None if lifecycle.opened_at is None else lifecycle.opened_at - lifecycle.began_at
    if ended.won or ended.reason == EndReason.DELETED:
        metrics.ended(ended.status.value, ended.reason)
    metrics.observe(stop=stop, first_token=first_token, tokens_in=ending.tokens_in, tokens_out=ending.tokens_out)
    _tell(
        run.pk,
        ended.status.value,
        ended.reason,
        code=ending.code if ended.won and CODE.fullmatch(ending.code) else "",
        stopped_from=ending.stop_origin,
        conversation=str(run.conversation_id),
        user=run.requested_by_id,
        kind=run.kind,
        model=run.model,
        endpoint=run.endpoint,
        opened_ms=_ms(opened),
        first_token_ms=_ms(first_token),
        stop_ms=_ms(stop),
        total_ms=_ms(time.monotonic() - lifecycle.began_at),
        characters=ending.characters,
        tokens_in=ending.tokens_in,
        tokens_out=ending.tokens_out,
        usage=ending.usage_source,
    )


def swept(generations: Iterable[uuid.UUID], reason: EndReason) -> None:
    """This process ended runs that belonged to another one. May be called from any thread."""
    for generation in generations:
        metrics.ended(Status.INTERRUPTED.value, reason.value)
        _tell(generation, Status.INTERRUPTED.value, reason.value)


def _tell(generation: uuid.UUID, status: str, reason: str, **more: Field) -> None:
    known = {name: value for name, value in more.items() if value not in (None, "")}
    fields = {"event": "generation_ended", "generation": str(generation), "status": status, "reason": reason, **known}
    logger.log(
        logging.WARNING if status == Status.ERROR else logging.INFO,
        "generation %s: %s, %s %s",
        generation,
        status,
        reason,
        " ".join(f"{name}={value}" for name, value in known.items()),
        extra={"fields": fields},
    )


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()


def _ms(seconds: float | None) -> int | None:
    """Whole milliseconds; clocks that disagree make nothing negative."""
    return None if seconds is None else max(0, round(seconds * 1000))
