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

OWN_END = 5.0
OTHERS_END = 3.0
"""Seconds that a generation of this process, of another process, may take to end when a new prompt replaces it."""


def stopper(supervisor: Supervisor, generation: uuid.UUID, user: int, tab: str) -> StopRequest:
    """Somebody at one of their own pages. In which tabs it was asked for is known to the owner only, so for the others
    it is another one."""
    live = supervisor.live.get(generation)
    return StopRequest.in_tab(user, tab, live.asked_in if live is not None else ())


async def ask_owner(supervisor: Supervisor, generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """Ask the owner of a generation, whichever process that is, to end it. It hears by the notifier, else at its next
    tick."""
    live = supervisor.live.get(generation)
    if live is not None:
        live.stop(reason, by)
        return
    supervisor.notifier.notify("stop", id=str(generation), reason=reason.value, **by.words)
    await in_database(request_stop, generation, reason, by)


def request_stop(generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """The first request counts."""
    Generation.objects.streaming().filter(pk=generation, stop_reason="").update(
        stop_reason=reason, stop_requested_at=Now(), stop_origin=by.origin, stopped_by=by.person
    )


def note_late_stop(generation: uuid.UUID, by: StopRequest) -> None:
    """A page stopped it without a network, and the server ended it before that arrived. How and when it ended stays:
    `stop_requested_at` is the server's own decision, so that the press counts in no latency."""
    Generation.objects.filter(pk=generation, end_reason=EndReason.CONNECTION_LOST, stop_reason="").update(
        stop_reason=EndReason.STOPPED, stop_origin=by.origin, stopped_by=by.person
    )


async def end_running(supervisor: Supervisor, generation: uuid.UUID, reason: EndReason, by: StopRequest) -> None:
    """Return when this generation has ended. An owner that does not answer is overruled, and fenced by that."""
    live = supervisor.live.get(generation)
    if live is not None and live.task is not None:
        live.stop(reason, by)
        await asyncio.wait({live.task}, timeout=OWN_END)
        return
    await ask_owner(supervisor, generation, reason, by)
    deadline = time.monotonic() + OTHERS_END
    while time.monotonic() < deadline:
        if not await in_database(_streams, generation):
            return
        await asyncio.sleep(0.05)
    await in_database(reaper.force_end, generation, reason)


def _streams(generation: uuid.UUID) -> bool:
    return Generation.objects.streaming().filter(pk=generation).exists()
