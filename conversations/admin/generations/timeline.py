"""The moments of a generation, and how long each step took. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from conversations.models import Generation

MOMENTS: list[tuple[str, Any, Any]] = [
    ("requested_at", _("asked"), ""),
    ("opened_at", _("upstream opened"), _("waiting for the provider")),
    ("first_token_at", _("first token"), _("waiting for the first token")),
    ("stop_requested_at", _("stop asked"), _("writing")),
    ("upstream_closed_at", _("upstream closed"), _("closing")),
    ("ended_at", _("ended"), _("saving")),
]
"""Field, label, and what happens until then."""


@dataclass(frozen=True, slots=True)
class Step:
    """One moment. `took`: ms since the one before; `after`: ms since the request. `start`, `width`: percent of the bar.

    The clocks of two machines may differ, so `took` may be negative.
    """

    field: str
    name: Any
    meanwhile: Any
    at: datetime
    took: int | None
    after: int
    start: float
    width: float


def steps(generation: Generation) -> list[Step]:
    """The moments so far, in order."""
    known = [(moment, at) for moment in MOMENTS if (at := getattr(generation, moment[0])) is not None]
    begin = known[0][1]
    whole = max((at - begin).total_seconds() for _moment, at in known) or 1.0
    found: list[Step] = []
    before = begin
    for (field, name, meanwhile), at in known:
        start, end = (min(1.0, max(0.0, (each - begin).total_seconds() / whole)) * 100 for each in (before, at))
        took = None if at is begin else milliseconds(before, at)
        found.append(Step(field, name, meanwhile, at, took, milliseconds(begin, at) or 0, start, max(0.0, end - start)))
        before = at
    return found


def milliseconds(begin: datetime | None, end: datetime | None) -> int | None:
    """From `begin` to `end`; None if either is missing."""
    return None if begin is None or end is None else round((end - begin).total_seconds() * 1000)
