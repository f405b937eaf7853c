"""Ends a generation, whichever process runs it: cancels it here, or asks its owner."""

import asyncio
import time
import uuid

from django.db.models.functions import Now

from conversations.cluster.notifications import Kind
from conversations.generation.supervisor import Supervisor
from conversations.models import Generation
from conversations.rules.status import EndReason
from conversations.rules.stop_request import StopRequest
from conversations.storage import reaper
from conversations.storage.db_threads import in_database

OWN_END_TIMEOUT = 5.0
"""Seconds to wait for the end of a generation of this process."""

REMOTE_END_TIMEOUT = 3.0
"""Seconds to wait for another process to end its generation; after that, this process ends it."""

POLL_INTERVAL = 0.05
"""Seconds between two checks for that end."""


async def request_end(supervisor: Supervisor, generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """Ask the owner of a generation to end it; does not wait for the end. Another process learns of it through the
    notifier, or at its next tick. Raises database errors if the generation does not run here. Cancelling may lose the
    request."""
    live = supervisor.live.get(generation)
    if live is not None:
        live.stop(reason, by)
        return
    supervisor.notifier.notify(Kind.STOP, id=str(generation), reason=reason.value, **by.fields)
    await in_database(record_stop_request, generation, reason, by)


def record_stop_request(generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """Record a request to stop in the database, for the owner's next tick. Only the first request counts."""
    Generation.objects.streaming().filter(pk=generation, stop_reason="").update(
        stop_reason=reason, stop_requested_at=Now(), stop_origin=by.origin, stopped_by=by.person
    )


def record_late_stop(generation: uuid.UUID, by: StopRequest) -> None:
    """Record a stop that an offline page sent after the server had ended the generation for a lost connection.

    How and when it ended does not change. Nor does `stop_requested_at`, so that this stop does not count in the stop
    latency.
    """
    Generation.objects.filter(pk=generation, end_reason=EndReason.CONNECTION_LOST, stop_reason="").update(
        stop_reason=EndReason.STOPPED, stop_origin=by.origin, stopped_by=by.person
    )


async def end_and_wait(supervisor: Supervisor, generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """End a generation and return when it has ended. If its owner, another process, does not end it in time, end it
    here and fence the owner: its later writes change nothing. Raises database errors. Cancelling ends only the wait,
    not the generation's end; but then nothing fences an owner that does not respond."""
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
        await asyncio.sleep(POLL_INTERVAL)
    await in_database(reaper.force_end, generation, reason)


def _is_streaming(generation: uuid.UUID) -> bool:
    return Generation.objects.streaming().filter(pk=generation).exists()
