"""Each person's share of what all use: threads for the database, and new answers.

Whoever asks for more waits on the event loop, where waiting costs next to nothing, or is refused in words; others find
a thread that is free.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from django.conf import settings

from conversations.protocol.refusal import busy

from .db_threads import in_database

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

AT_ONCE = max(1, settings.DATABASE_POOL_SIZE // 4)
"""Jobs of one person at the database at the same time."""

WAITING = 100
"""Jobs of one person that wait or are at work: twice what the pages of somebody with many tabs can want."""

PAUSE = 3
"""Where a person has more jobs than turns, a turn rests for so many times what it took: jobs of Python's own kind, such
as rendering, would otherwise keep the event loop from its work."""

LONGEST_PAUSE = 1.0


class _Share:
    """One person's turns."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(AT_ONCE)
        self.jobs = 0

    def pass_on(self, spent: float) -> None:
        """A turn that took so many seconds is over."""
        if self.jobs > AT_ONCE:
            asyncio.get_running_loop().call_later(min(PAUSE * spent, LONGEST_PAUSE), self.turns.release)
        else:
            self.turns.release()


class Database:
    """Shares the threads of `in_database` among people."""

    def __init__(self) -> None:
        self._shares: dict[int, _Share] = {}

    async def work(
        self,
        person: int,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """`in_database` on behalf of this person. Raises Refusal if very much of theirs waits already."""
        async with self._turn(person):
            return await in_database(function, *args, **kwargs)

    @asynccontextmanager
    async def _turn(self, person: int) -> AsyncIterator[None]:
        share = self._shares.setdefault(person, _Share())
        if share.jobs >= WAITING:
            raise busy()
        share.jobs += 1
        try:
            await share.turns.acquire()
            began = time.monotonic()
            try:
                yield
            finally:
                share.pass_on(time.monotonic() - began)
        finally:
            share.jobs -= 1
            if not share.jobs:
                del self._shares[person]


database = Database()
