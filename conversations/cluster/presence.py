"""Who is there for a generation, beyond the sockets of its own process. Synchronous; runs on a database thread.

Times are the database's: the clocks of two machines may differ, and a word that the database takes late holds from then
on.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Now

from conversations.models import Presence
from conversations.rules.status import EndReason

SERVED = 5.0
"""Seconds for which a page that was served is expected to connect."""

SEEN = 3.0
"""Seconds for which a process's word that it shows a generation holds. It repeats it at every poll."""

SILENT = ""
"""Why a process no longer shows a generation, as long as it has not said that it went."""


@dataclass(frozen=True, slots=True)
class Look:
    """`expected`: a page was served in the last seconds. `elsewhere`: another process shows it. `silent`: one did, and
    has neither repeated that in time nor said that it went."""

    expected: bool = False
    elsewhere: bool = False
    silent: bool = False


def look(generation: uuid.UUID) -> Look:
    """Who else is there. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT COALESCE(bool_or(there AND page), false), COALESCE(bool_or(there AND NOT page), false),
                   COALESCE(bool_or(NOT there AND NOT page AND cause = %s), false)
            FROM (SELECT until > clock_timestamp() AS there, holder LIKE 'page:%%' AS page, cause
                  FROM conversations_presence WHERE generation_id = %s) AS noted
            """,
            [SILENT, generation],
        )
        return Look(*cursor.fetchone())


def served(generation: uuid.UUID, page: str) -> None:
    """A page that shows this generation goes out to a browser, which connects in a moment. On a reload that happens
    before the browser closes the old page's socket."""
    _note([generation], f"page:{page}", SERVED)


def connected(generation: uuid.UUID, page: str) -> None:
    """That page is there: whether it goes again is seen by its socket."""
    Presence.objects.filter(generation_id=generation, holder=f"page:{page}").delete()


def shown(generations: Sequence[uuid.UUID], process: uuid.UUID) -> None:
    """This process shows these generations, which others own."""
    _note(generations, str(process), SEEN)


def gone(generation: uuid.UUID, process: uuid.UUID, cause: EndReason) -> None:
    """The last of this process's viewers went."""
    Presence.objects.filter(generation_id=generation, holder=str(process)).update(until=Now(), cause=cause)


def tidy() -> None:
    """Take out what was noted at the very moment of an end, which had looked for such rows before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM conversations_presence w USING conversations_generation g
            WHERE g.id = w.generation_id AND g.status <> 'streaming'
            """
        )


def _note(generations: Sequence[uuid.UUID], holder: str, seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO conversations_presence (generation_id, holder, until, cause)
            SELECT g.id, %s, clock_timestamp() + make_interval(secs => %s), %s FROM conversations_generation g
            WHERE g.id = ANY(%s) AND g.status = 'streaming'
            ON CONFLICT (generation_id, holder) DO UPDATE SET until = EXCLUDED.until, cause = EXCLUDED.cause
            """,
            [holder, seconds, SILENT, list(generations)],
        )
