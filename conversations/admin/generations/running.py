"""The answers being written now, in all processes, and an administrator's Stop."""

import asyncio
import math
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from conversations.commands.end_generation import end_and_wait
from conversations.generation.supervisor import supervisor
from conversations.generation.viewer_tracker import ELSEWHERE
from conversations.models import Generation, Piece, Presence, ServerProcess
from conversations.rules.status import EndReason
from conversations.rules.stop_request import StopOrigin, StopRequest

MAX_ROWS = 500
"""Rows of the list: the oldest generations, because those may be stuck."""

STOP_TIMEOUT = 10.0
"""Seconds that a generation may take to end. If its owner does not respond, this process ends it within that time."""


@dataclass(frozen=True, slots=True)
class Viewers:
    """Who views an answer, as far as this process knows.

    `here`: pages connected to this process; None if another process owns the generation and alone knows its pages.
    `elsewhere`: other processes that show it. `expected`: a page was served and has yet to connect.
    """

    here: int | None
    elsewhere: Sequence[str]
    expected: bool


@dataclass(frozen=True, slots=True)
class RunningRow:
    """One row. `characters` may be one tick old; `tokens` is estimated; `silent`: time since its owner's last tick."""

    generation: Generation
    age: timedelta
    characters: int
    tokens: int
    viewers: Viewers
    own: bool
    silent: timedelta | None


def running_rows() -> tuple[list[RunningRow], int]:
    """The oldest `MAX_ROWS` streaming generations, and how many there are. Four queries."""
    found = list(
        Generation.objects.streaming().select_related("requested_by", "owner").order_by("requested_at", "pk")[:MAX_ROWS]
    )
    count = Generation.objects.streaming().count() if len(found) == MAX_ROWS else len(found)
    keys = [generation.pk for generation in found]
    written = dict(
        Piece.objects.filter(generation_id__in=keys)
        .values_list("generation_id")
        .annotate(characters=Sum(Length("text")))
        .order_by()
    )
    viewers = _viewers(found)
    return [_row(generation, written.get(generation.pk, 0), viewers[generation.pk]) for generation in found], count


def _row(generation: Generation, written: int, viewers: Viewers) -> RunningRow:
    now = timezone.now()
    live = supervisor.live.get(generation.pk)
    characters = live.lifecycle.written if live is not None else written
    tokens = live.lifecycle.tokens if live is not None else math.ceil(characters / 4)
    silent = now - generation.owner.renewed_at if generation.owner is not None and live is None else None
    return RunningRow(generation, now - generation.requested_at, characters, tokens, viewers, live is not None, silent)


def _viewers(generations: Sequence[Generation]) -> Mapping[uuid.UUID, Viewers]:
    holders: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = Presence.objects.filter(
        generation_id__in=[generation.pk for generation in generations], until__gt=timezone.now()
    )
    for key, holder in rows.values_list("generation_id", "holder"):
        holders[key].append(holder)
    processes = _process_names(holder for each in holders.values() for holder in each)
    return {generation.pk: _viewers_of(generation, holders[generation.pk], processes) for generation in generations}


def _process_names(holders: Any) -> dict[str, str]:
    keys = {holder for holder in holders if not holder.startswith("page:")}
    return {str(process.pk): str(process) for process in ServerProcess.objects.filter(pk__in=keys)}


def _viewers_of(generation: Generation, holders: Sequence[str], processes: Mapping[str, str]) -> Viewers:
    live = supervisor.live.get(generation.pk)
    here = None if live is None else live.viewers.count - (ELSEWHERE in live.viewers)
    elsewhere = [processes.get(holder, holder) for holder in holders if not holder.startswith("page:")]
    return Viewers(here, elsewhere, any(holder.startswith("page:") for holder in holders))


class NoSupervisor(Exception):
    """This process has no running supervisor (it may be a command), so it cannot stop answers."""


def stop_and_wait(generation: uuid.UUID, staff: int) -> None:
    """Stop a generation of any process and wait for its end. Call it on the thread of a request.

    The work runs on the event loop, so closing the page does not undo it. Raises NoSupervisor, and TimeoutError after
    `STOP_TIMEOUT` seconds.
    """
    loop = supervisor.loop
    if loop is None or not loop.is_running():
        raise NoSupervisor
    by = StopRequest(StopOrigin.ADMIN, staff)
    ending = end_and_wait(supervisor, generation, EndReason.STOPPED_BY_ADMIN, by)
    asyncio.run_coroutine_threadsafe(ending, loop).result(STOP_TIMEOUT)
