"""The SQL of journal and reaper. Each statement is one round trip for any number of generations.

Every statement is guarded: it adds text only to streaming generations of the writing process, and it ends only
generations that stream. So a process that lost its lease, or a late retry, changes nothing.
"""

import os
import socket
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

import psycopg
from django.conf import settings
from psycopg.types.json import Jsonb

from conversations.rules.status import EndReason

if TYPE_CHECKING:
    from conversations.rules.ending_record import Ending

LOCK = 0x57A7
"""First key of the advisory lock that each living process holds; the second key is the hash of its id."""

REGISTER = """
INSERT INTO conversations_serverprocess (id, host, pid, started_at, renewed_at)
VALUES (%(id)s, %(host)s, %(pid)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (id) DO UPDATE SET renewed_at = clock_timestamp()
"""

HOLD = "SELECT pg_try_advisory_lock(%(lock)s, hashtext(%(id)s::text))"

TICK = """
WITH lease AS (
    UPDATE conversations_serverprocess SET renewed_at = clock_timestamp() WHERE id = %(process)s
), saved AS (
    INSERT INTO conversations_piece (generation_id, start, text)
    SELECT g.id, p.start, p.text
    FROM unnest(%(ids)s::uuid[], %(starts)s::int[], %(texts)s::text[]) AS p(id, start, text)
    JOIN conversations_generation g ON g.id = p.id AND g.status = 'streaming' AND g.owner_id = %(process)s
    ON CONFLICT (generation_id, start) DO UPDATE SET text = EXCLUDED.text
)
SELECT g.id, CASE WHEN c.deleted_at IS NULL THEN g.stop_reason ELSE 'deleted' END,
       EXISTS (SELECT FROM conversations_presence w
               WHERE w.generation_id = g.id AND w.until > clock_timestamp() AND w.holder NOT LIKE 'page:%%'),
       EXISTS (SELECT FROM conversations_presence w
               WHERE w.generation_id = g.id AND w.until <= clock_timestamp() AND w.cause = ''
                 AND w.holder NOT LIKE 'page:%%'),
       COALESCE((SELECT w.cause FROM conversations_presence w
                 WHERE w.generation_id = g.id AND w.holder NOT LIKE 'page:%%' ORDER BY w.until DESC LIMIT 1), '')
FROM conversations_generation g JOIN conversations_conversation c ON c.id = g.conversation_id
WHERE g.owner_id = %(process)s AND g.status = 'streaming'
"""
# DO UPDATE: if the reply to a tick is lost, the piece is sent again from the same start, with more text.

FINISH = """
WITH ended AS (
    UPDATE conversations_generation g SET
        status = e.status, end_reason = e.reason, ended_at = clock_timestamp(), error_code = e.code, detail = e.detail,
        retry_after = e.retry_after, opened_at = e.opened_at, first_token_at = e.first_token_at,
        stop_requested_at = COALESCE(e.stop_requested_at, g.stop_requested_at),
        stop_origin = COALESCE(NULLIF(e.stop_origin, ''), g.stop_origin),
        stopped_by_id = CASE WHEN e.stop_origin = '' THEN g.stopped_by_id
                             ELSE (SELECT u.id FROM auth_user u WHERE u.id = e.stopped_by) END,
        upstream_closed_at = e.upstream_closed_at, characters = e.characters,
        tokens_in = e.tokens_in, tokens_out = e.tokens_out, thought_tokens = e.thought_tokens,
        usage_source = e.usage_source,
        usage_final = e.usage_source = 'provider', cost = e.cost
    FROM jsonb_to_record(%(fields)s) AS e(
        status text, reason text, code text, detail text, retry_after int, opened_at timestamptz,
        first_token_at timestamptz, stop_requested_at timestamptz, stop_origin text, stopped_by int,
        upstream_closed_at timestamptz, characters int,
        tokens_in int, tokens_out int, thought_tokens int, usage_source text, cost numeric)
    WHERE g.id = %(generation)s AND g.status = 'streaming' AND g.owner_id = %(process)s
    RETURNING g.id, g.message_id, g.status
), message AS (
    UPDATE conversations_message m SET content = %(text)s, status = ended.status
    FROM ended WHERE m.id = ended.message_id
), pieces AS (
    DELETE FROM conversations_piece p USING ended WHERE p.generation_id = ended.id
), presence AS (
    DELETE FROM conversations_presence w USING ended WHERE w.generation_id = ended.id
)
SELECT count(*) FROM ended
"""

END_FOR_OWNER = """
WITH abandoned AS (
    SELECT g.id, g.message_id FROM conversations_generation g
    WHERE g.status = 'streaming' AND {which}
    FOR UPDATE OF g SKIP LOCKED
), written AS (
    SELECT d.id, string_agg(p.text, '' ORDER BY p.start) AS text
    FROM abandoned d JOIN conversations_piece p ON p.generation_id = d.id GROUP BY d.id
), ended AS (
    UPDATE conversations_generation g SET
        status = 'interrupted', end_reason = %(reason)s, ended_at = clock_timestamp(),
        stop_origin = COALESCE(NULLIF(g.stop_origin, ''), 'server'),
        characters = COALESCE(length(written.text), 0)
    FROM abandoned LEFT JOIN written ON written.id = abandoned.id
    WHERE g.id = abandoned.id
    RETURNING g.id, g.message_id, written.text
), message AS (
    UPDATE conversations_message m SET status = 'interrupted', content = m.content || COALESCE(ended.text, '')
    FROM ended WHERE m.id = ended.message_id
), pieces AS (
    DELETE FROM conversations_piece p USING ended WHERE p.generation_id = ended.id
), presence AS (
    DELETE FROM conversations_presence w USING ended WHERE w.generation_id = ended.id
)
SELECT id FROM ended
"""

REAP = END_FOR_OWNER.format(which="g.owner_id = ANY(%(owners)s)")
FORCE_END = END_FOR_OWNER.format(which="g.id = %(generation)s")

DEAD_PROCESSES = """
SELECT p.id FROM conversations_serverprocess p
WHERE p.id <> %(process)s
  AND EXISTS (SELECT FROM conversations_generation g WHERE g.owner_id = p.id AND g.status = 'streaming')
  AND (p.renewed_at < clock_timestamp() - make_interval(secs => %(lease)s)
       OR (p.renewed_at < clock_timestamp() - make_interval(secs => %(missed)s)
           AND pg_try_advisory_xact_lock(%(lock)s, hashtext(p.id::text))))
"""

UPTIME = "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())"

STORED_STATE = """
SELECT g.status, g.end_reason, m.content
FROM conversations_generation g JOIN conversations_message m ON m.id = g.message_id WHERE g.id = %(generation)s
"""

MISSED_TICKS = 2.0
"""Seconds without a tick after which a process counts as dead if its lock is free."""


Row = tuple[uuid.UUID, str, bool, bool, str]
"""A row that a tick returns for one generation; see `journal.Signals`."""


def register(connection: psycopg.Connection, process: uuid.UUID) -> bool:
    """Add or renew the record of `process`, and take its lock. The result is that of `hold`."""
    connection.execute(REGISTER, {"id": process, "host": socket.gethostname()[:200], "pid": os.getpid()})
    return hold(connection, process)


def hold(connection: psycopg.Connection, process: uuid.UUID) -> bool:
    """Take the lock of `process` for as long as `connection` lives. False if a reaper is trying it at this moment."""
    row = connection.execute(HOLD, {"lock": LOCK, "id": process}).fetchone()
    return row is not None and bool(row[0])


def tick(connection: psycopg.Connection, process: uuid.UUID, pieces: Sequence[tuple[uuid.UUID, int, str]]) -> list[Row]:
    """Save pieces of (generation, start, text) and renew the lease. Returns a row for each streaming generation of
    `process`. `start` is an index in characters."""
    ids, starts, texts = ([piece[column] for piece in pieces] for column in range(3))
    cursor = connection.execute(TICK, {"process": process, "ids": ids, "starts": starts, "texts": texts})
    return cursor.fetchall()


def finish(connection: psycopg.Connection, ending: "Ending", process: uuid.UUID) -> bool:
    """End a generation. Returns True if this call ended it."""
    return _won(connection.execute(FINISH, _parameters(ending, process)))


def finish_all(connection: psycopg.Connection, endings: Sequence["Ending"], process: uuid.UUID) -> list[bool]:
    """End several generations in one round trip and one transaction. Returns which of them this call ended."""
    with connection.transaction(), connection.pipeline():
        cursors = [connection.execute(FINISH, _parameters(ending, process)) for ending in endings]
    return [_won(cursor) for cursor in cursors]


def _won(cursor: psycopg.Cursor) -> bool:
    row = cursor.fetchone()
    return row is not None and row[0] == 1


def _parameters(ending: "Ending", process: uuid.UUID) -> dict[str, object]:
    fields: dict[str, object] = {
        "status": ending.status.value,
        "reason": ending.reason.value,
        "code": ending.code,
        "detail": ending.detail[:500],
        "retry_after": ending.retry_after,
        "stop_origin": ending.stop_origin,
        "stopped_by": ending.stopped_by,
        "characters": ending.characters,
        "tokens_in": ending.tokens_in,
        "tokens_out": ending.tokens_out,
        "thought_tokens": ending.thought_tokens,
        "usage_source": ending.usage_source,
        "cost": str(ending.cost) if ending.cost is not None else None,
    }
    for name in ("opened_at", "first_token_at", "stop_requested_at", "upstream_closed_at"):
        at = getattr(ending, name)
        fields[name] = at.isoformat() if at is not None else None
    return {"fields": Jsonb(fields), "generation": ending.generation, "process": process, "text": ending.text}


def stored_state(connection: psycopg.Connection, generation: uuid.UUID) -> tuple[str, str, str] | None:
    """The stored (status, end reason, text) of a generation; None if it was deleted."""
    return connection.execute(STORED_STATE, {"generation": generation}).fetchone()


def dead_processes(connection: psycopg.Connection, process: uuid.UUID, *, at_start: bool) -> list[uuid.UUID]:
    """The other processes that died and left generations streaming.

    A process is dead if its lease has expired, or if its lock is free and it has not ticked for `MISSED_TICKS` seconds.
    A process that starts does not know how steady the database has been, so it checks PostgreSQL's uptime: right after
    a restart, the other processes may not have reconnected yet.
    """
    if at_start:
        uptime = connection.execute(UPTIME).fetchone()
        if uptime is None or uptime[0] < MISSED_TICKS * 2:
            return []
    parameters = {"process": process, "lease": settings.CHAT_LEASE, "missed": MISSED_TICKS, "lock": LOCK}
    return [row[0] for row in connection.execute(DEAD_PROCESSES, parameters).fetchall()]


def reap(connection: psycopg.Connection, owners: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """End what these processes left streaming; returns the ids of those generations."""
    parameters = {"owners": list(owners), "reason": EndReason.SERVER_LOST.value}
    return [row[0] for row in connection.execute(REAP, parameters).fetchall()]


def force_end(connection: psycopg.Connection, generation: uuid.UUID, reason: EndReason) -> bool:
    """End a generation in place of its owner, and thereby fence the owner. Returns True if this call ended it."""
    parameters = {"generation": generation, "reason": reason.value}
    return bool(connection.execute(FORCE_END, parameters).fetchall())
