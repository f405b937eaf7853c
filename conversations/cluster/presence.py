"""Records who views a generation, apart from the sockets of its own process. Synchronous; runs on a database thread.

All times are the database's: the clocks of two machines may differ, and a presence that the database stores late counts
from then on.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Now

from conversations.models import Presence
from conversations.rules.status import EndReason

PAGE_TIMEOUT = 5.0
"""Seconds within which a page that was served is expected to connect."""

PROCESS_TIMEOUT = 3.0
"""Seconds for which a process counts as viewing a generation. It renews that at every poll."""

SILENT = ""
"""The cause in the row of a process that has not reported that its viewers left."""


@dataclass(frozen=True, slots=True)
class OtherViewers:
    """`expected`: a page was served in the last seconds. `elsewhere`: another process views it. `silent`: one did, and
    has neither renewed that in time nor reported that its viewers left."""

    expected: bool = False
    elsewhere: bool = False
    silent: bool = False


def others(generation: uuid.UUID) -> OtherViewers:
    """Who views this generation, apart from the sockets of its own process. One query."""
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
        return OtherViewers(*cursor.fetchone())


def page_served(generation: uuid.UUID, page: str) -> None:
    """Note that a page which shows this generation is being sent to a browser and will connect in a moment. On a
    reload, this happens before the browser closes the socket of the old page. `page`: a nonce that names the page."""
    _store([generation], f"page:{page}", PAGE_TIMEOUT)


def page_connected(generation: uuid.UUID, page: str) -> None:
    """Forget a served page that has connected: from now on its socket shows whether it is there."""
    Presence.objects.filter(generation_id=generation, holder=f"page:{page}").delete()


def renew(generations: Sequence[uuid.UUID], process: uuid.UUID) -> None:
    """Note that this process views these generations of other processes, for the next `PROCESS_TIMEOUT` seconds."""
    _store(generations, str(process), PROCESS_TIMEOUT)


def mark_gone(generation: uuid.UUID, process: uuid.UUID, cause: EndReason) -> None:
    """Note that the last viewer in this process has left, for this reason."""
    Presence.objects.filter(generation_id=generation, holder=str(process)).update(until=Now(), cause=cause)


def delete_stale() -> None:
    """Delete rows of generations that have ended. An end deletes its own, except those stored in the same moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM conversations_presence w USING conversations_generation g
            WHERE g.id = w.generation_id AND g.status <> 'streaming'
            """
        )


def _store(generations: Sequence[uuid.UUID], holder: str, seconds: float) -> None:
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
