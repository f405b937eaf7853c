"""How many answers a person may ask for within a minute."""

import time
import uuid
from collections import deque

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.protocol.refusal import Refusal
from conversations.rules.token_bucket import TokenBucket

MANY = 1000
"""People whose allowance is kept before those who have all of theirs are forgotten."""


class _Allowance:
    """One person's new answers. A command that comes again, from a page that lost its socket, is counted once."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.bucket = TokenBucket(per_minute / 60, per_minute, now)
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
            raise Refusal("too_fast", self._sentence(allowance.bucket.seconds_to_wait(now)))

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
        kept = {person: each for person, each in self._people.items() if not each.bucket.is_full(now)}
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


answers = Answers(settings.CHAT_MAX_ANSWERS_PER_MINUTE)
