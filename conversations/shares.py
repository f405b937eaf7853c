"""Each person's share of what all use: threads for the database, and new answers.

Whoever asks for more waits on the event loop, where waiting costs next to nothing, or is refused in words; others find
a thread that is free.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .bucket import Bucket
from .database import in_database
from .frames import Refusal

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

MANY = 1000
"""People whose allowance is kept before those who have all of theirs are forgotten."""


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
            raise Refusal("busy", _("That did not go through. Please try again."))
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


class _Allowance:
    """One person's new answers. A command that comes again, from a page that lost its socket, is counted once."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.bucket = Bucket(per_minute / 60, per_minute, now)
        self.counted: deque[uuid.UUID] = deque(maxlen=per_minute)

    def take(self, command: uuid.UUID, now: float) -> bool:
        if command in self.counted:
            return True
        if not self.bucket.take(now):
            return False
        self.counted.append(command)
        return True


class Answers:
    """How many more answers each person may ask this process for. `per_minute` are allowed at once, and come back over
    a minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._people: dict[int, _Allowance] = {}

    def take(self, person: int, command: uuid.UUID) -> None:
        """Count a command that asks for an answer. Raises Refusal if it is one too many."""
        now = time.monotonic()
        allowance = self._of(person, now)
        if not allowance.take(command, now):
            raise Refusal("too_fast", self._sentence(allowance.bucket.wait(now)))

    def take_title(self, person: int) -> bool:
        """Count a title, which is a request to the provider, too, but never at the cost of a prompt: False where less
        than half of the allowance is left."""
        now = time.monotonic()
        return self._of(person, now).bucket.take(now, leave=self._per_minute // 2)

    def _of(self, person: int, now: float) -> _Allowance:
        if person not in self._people:
            if len(self._people) >= MANY:
                self._forget(now)
            self._people[person] = _Allowance(self._per_minute, now)
        return self._people[person]

    def _forget(self, now: float) -> None:
        kept = {person: each for person, each in self._people.items() if not each.bucket.full(now)}
        self._people = kept

    def _sentence(self, wait: float) -> str:
        seconds = max(1, round(wait + 0.5))
        limit = _("That is more than the %(limit)d messages a minute that are possible here.") % {
            "limit": self._per_minute
        }
        again = ngettext("Try again in %(seconds)d second.", "Try again in %(seconds)d seconds.", seconds) % {
            "seconds": seconds
        }
        return f"{limit} {again}"


database = Database()
answers = Answers(settings.CHAT_MAX_ANSWERS_PER_MINUTE)
