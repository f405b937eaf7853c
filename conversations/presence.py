"""Who is there for a generation, beyond the sockets of its own process. Synchronous; runs on a database thread."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from .models import Presence
from .outcomes import EndReason

SERVED = timedelta(seconds=5)
"""How long a page that was served is expected to connect."""

SEEN = timedelta(seconds=3)
"""How long a process's word that it shows a generation holds. It repeats it at every poll."""


@dataclass(frozen=True, slots=True)
class Look:
    """`expected`: a page was served in the last seconds. `elsewhere`: another process shows it."""

    expected: bool = False
    elsewhere: bool = False


def look(generation: uuid.UUID) -> Look:
    """Who else is there. One query."""
    holders = Presence.objects.filter(generation_id=generation, until__gt=timezone.now()).values_list(
        "holder", flat=True
    )
    pages = [holder.startswith("page:") for holder in holders]
    return Look(expected=any(pages), elsewhere=not all(pages))


def served(generation: uuid.UUID, page: str) -> None:
    """A page that shows this generation goes out to a browser, which connects in a moment. On a reload that happens
    before the browser closes the old page's socket."""
    _note([generation], f"page:{page}", timezone.now() + SERVED)


def connected(generation: uuid.UUID, page: str) -> None:
    """That page is there: whether it goes again is seen by its socket."""
    Presence.objects.filter(generation_id=generation, holder=f"page:{page}").delete()


def shown(generations: Sequence[uuid.UUID], process: uuid.UUID) -> None:
    """This process shows these generations, which others own."""
    _note(generations, str(process), timezone.now() + SEEN)


def gone(generation: uuid.UUID, process: uuid.UUID, cause: EndReason) -> None:
    """The last of this process's viewers went."""
    Presence.objects.filter(generation_id=generation, holder=str(process)).update(until=timezone.now(), cause=cause)


def tidy() -> None:
    """Take out what was noted at the very moment of an end, which had looked for such rows before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM conversations_presence w USING conversations_generation g
            WHERE g.id = w.generation_id AND g.status <> 'streaming'
            """
        )


def _note(generations: Sequence[uuid.UUID], holder: str, until: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO conversations_presence (generation_id, holder, until, cause)
            SELECT g.id, %s, %s, %s FROM conversations_generation g
            WHERE g.id = ANY(%s) AND g.status = 'streaming'
            ON CONFLICT (generation_id, holder) DO UPDATE SET until = EXCLUDED.until
            """,
            [holder, until, EndReason.LEFT.value, list(generations)],
        )
