"""Shares the threads of `in_database` fairly among people.

Somebody who asks for more than their share waits on the event loop, where waiting is cheap, or is refused; others still
find a free thread.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from django.conf import settings

from conversations.protocol.refusal import busy

from . import db_threads

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

MAX_ACTIVE = max(1, settings.DATABASE_POOL_SIZE // 4)
"""Jobs of one person that run at the same time."""

MAX_JOBS = 100
"""Jobs of one person that wait or run: twice what somebody with many tabs needs."""

COOLDOWN_FACTOR = 3
"""While jobs of a person wait, a slot pauses for this many times the duration of its last job before it is reused. Jobs
that compute in Python, such as rendering, would otherwise keep the event loop from its work."""

MAX_COOLDOWN = 1.0
"""Upper limit of that pause, in seconds."""


class _Share:
    """The slots of one person."""

    def __init__(self) -> None:
        self.slots = asyncio.Semaphore(MAX_ACTIVE)
        self.jobs = 0

    def release(self, spent: float) -> None:
        """Free the slot of a job that took `spent` seconds."""
        if self.jobs > MAX_ACTIVE:
            asyncio.get_running_loop().call_later(min(COOLDOWN_FACTOR * spent, MAX_COOLDOWN), self.slots.release)
        else:
            self.slots.release()


_shares: dict[int, _Share] = {}
"""By user id; only of people who have jobs."""


async def in_database(
    person: int, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call `db_threads.in_database` for the user with the id `person`, when it is their turn.

    Raises Refusal if too many of their jobs wait already. Cancelling drops a job that still waits.
    """
    async with _slot(person):
        return await db_threads.in_database(function, *args, **kwargs)


@asynccontextmanager
async def _slot(person: int) -> AsyncIterator[None]:
    share = _shares.setdefault(person, _Share())
    if share.jobs >= MAX_JOBS:
        raise busy()
    share.jobs += 1
    try:
        await share.slots.acquire()
        began = time.monotonic()
        try:
            yield
        finally:
            share.release(time.monotonic() - began)
    finally:
        share.jobs -= 1
        if not share.jobs:
            del _shares[person]
