"""End a generation, wherever it runs: cancel it here, or ask the process that owns it."""

import asyncio
import time
import uuid

from django.db.models.functions import Now

from conversations.generation.supervisor import Supervisor
from conversations.models import Generation
from conversations.rules.status import EndReason
from conversations.rules.stop_request import StopRequest
from conversations.storage import reaper
from conversations.storage.db_threads import in_database

OWN_END_TIMEOUT = 5.0
REMOTE_END_TIMEOUT = 3.0
"""Seconds that a generation of this process, of another process, may take to end when a new prompt replaces it."""


async def request_end(supervisor: Supervisor, generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """Ask the owner of a generation, whichever process that is, to end it. It hears by the notifier, else at its next
    tick."""
    live = supervisor.live.get(generation)
    if live is not None:
        live.stop(reason, by)
        return
    supervisor.notifier.notify("stop", id=str(generation), reason=reason.value, **by.fields)
    await in_database(record_stop_request, generation, reason, by)


def record_stop_request(generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """The first request counts."""
    Generation.objects.streaming().filter(pk=generation, stop_reason="").update(
        stop_reason=reason, stop_requested_at=Now(), stop_origin=by.origin, stopped_by=by.person
    )


def record_late_stop(generation: uuid.UUID, by: StopRequest) -> None:
    """A page stopped it without a network, and the server ended it before that arrived. How and when it ended stays:
    `stop_requested_at` is the server's own decision, so that the press counts in no latency."""
    Generation.objects.filter(pk=generation, end_reason=EndReason.CONNECTION_LOST, stop_reason="").update(
        stop_reason=EndReason.STOPPED, stop_origin=by.origin, stopped_by=by.person
    )


async def end_and_wait(supervisor: Supervisor, generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """Return when this generation has ended. An owner that does not answer is overruled, and fenced by that."""
    live = supervisor.live.get(generation)
    if live is not None and live.task is not None:
        live.stop(reason, by)
        await asyncio.wait({live.task}, timeout=OWN_END_TIMEOUT)
        return
    await request_end(supervisor, generation, reason, by)
    deadline = time.monotonic() + REMOTE_END_TIMEOUT
    while time.monotonic() < deadline:
        if not await in_database(_is_streaming, generation):
            return
        await asyncio.sleep(0.05)
    await in_database(reaper.take_away, generation, reason)


def _is_streaming(generation: uuid.UUID) -> bool:
    return Generation.objects.streaming().filter(pk=generation).exists()
