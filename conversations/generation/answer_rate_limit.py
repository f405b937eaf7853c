"""Limits how many answers a person may ask for per minute."""

import time
import uuid
from collections import deque

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.protocol.refusal import Refusal
from conversations.rules.token_bucket import TokenBucket

MAX_PEOPLE = 1000
"""Allowances that are kept; beyond this number, those that are full again are dropped."""


class _Allowance:
    """One person's allowance. A command that is sent again, by a page that lost its socket, counts once."""

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


class AnswerRateLimiter:
    """A token bucket per person: `per_minute` answers at once, refilled over a minute. Each process has its own. Lives
    on the event loop; methods never wait."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._allowances: dict[int, _Allowance] = {}

    def take(self, person: int, command: uuid.UUID) -> None:
        """Count a command that asks for an answer. Raises Refusal if the allowance is used up."""
        now = time.monotonic()
        allowance = self._allowance(person, now)
        if not allowance.take(command, now):
            raise Refusal("too_fast", self._sentence(allowance.bucket.seconds_to_wait(now)))

    def take_title(self, person: int) -> bool:
        """Count a title, which is also a request to the provider. False if less than half of the allowance is left: a
        title never costs a person a prompt."""
        now = time.monotonic()
        return self._allowance(person, now).bucket.take(now, leave=self._per_minute // 2)

    def _allowance(self, person: int, now: float) -> _Allowance:
        if person not in self._allowances:
            if len(self._allowances) >= MAX_PEOPLE:
                self._drop_full(now)
            self._allowances[person] = _Allowance(self._per_minute, now)
        return self._allowances[person]

    def _drop_full(self, now: float) -> None:
        kept = {person: each for person, each in self._allowances.items() if not each.bucket.is_full(now)}
        self._allowances = kept

    def _sentence(self, wait: float) -> str:
        seconds = max(1, round(wait + 0.5))
        limit = _("You can send up to %(limit)d messages a minute.") % {"limit": self._per_minute}
        again = ngettext("Try again in %(seconds)d second.", "Try again in %(seconds)d seconds.", seconds) % {
            "seconds": seconds
        }
        return f"{limit} {again}"


limiter = AnswerRateLimiter(settings.CHAT_MAX_ANSWERS_PER_MINUTE)
