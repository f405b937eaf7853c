"""The admin's list of 1,000,000 generations: server time of each filter and order, and time and memory for the CSV.

Nine of ten generations are complete, and most others were stopped. There are 10,000 people and five models, one of them
rarely used.
"""

import http.client
import os
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.contrib.auth import get_user_model

from bench import rig

RUNS = int(os.environ.get("BENCH_GENERATIONS", "20000" if rig.QUICK else "1000000"))
PEOPLE = 10_000
REQUESTS = 5
LIST = "/admin/conversations/generation/"
SLOW_READ = 262_144
"""Bytes that the slow reader of the CSV takes ten times a second."""

ID = "(lpad(to_hex({number}), 12, '0') || '70008000' || lpad(to_hex({kind}), 12, '0'))::uuid"
CONVERSATION, MESSAGE, GENERATION = (
    ID.format(number=number, kind=kind) for number, kind in (("n % 100000", 1), ("n", 2), ("n", 3))
)

PERSONS = """
INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)
SELECT 'seeded-' || n, '!', false, false, true, '', '', '', now() FROM generate_series(0, {people} - 1) AS n
"""
CONVERSATIONS = """
INSERT INTO conversations_conversation (id, owner_id, title, model, created_at, active_at)
SELECT {conversation}, (SELECT min(id) FROM auth_user WHERE username LIKE 'seeded-%%') + n %% {people},
       'Conversation ' || n, 'model-1', now(), now()
FROM generate_series(0, least({runs}, 100000) - 1) AS n
"""
MESSAGES = """
INSERT INTO conversations_message (id, conversation_id, role, content, status, created_at)
SELECT {message}, {conversation}, 'assistant', 'Words.', {status}, now()
FROM generate_series(%(begin)s, %(end)s - 1) AS n
"""
GENERATIONS = """
INSERT INTO conversations_generation
    (id, conversation_id, message_id, requested_by_id, kind, endpoint, model, status, end_reason, error_code, detail,
     requested_at, opened_at, first_token_at, stop_requested_at, upstream_closed_at, ended_at, stop_reason, characters,
     tokens_in, tokens_out, usage_source, cost, currency)
SELECT {generation}, {conversation}, {message},
       (SELECT min(id) FROM auth_user WHERE username LIKE 'seeded-%%') + n %% {people}, 'reply', 'provider.example',
       CASE WHEN n %% 9973 = 0 THEN 'model-seldom' ELSE 'model-' || n %% 4 END, {status},
       CASE {status} WHEN 'complete' THEN 'finished' WHEN 'error' THEN 'provider_failed'
            ELSE CASE n %% 3 WHEN 0 THEN 'left' ELSE 'stopped' END END, '', '',
       at, at + interval '80 ms', at + (100 + n %% 900) * interval '1 ms',
       CASE WHEN {status} = 'interrupted' THEN at + interval '3 s' END,
       CASE WHEN {status} = 'interrupted' THEN at + interval '3 s' + n %% 200 * interval '1 ms'
            ELSE at + interval '9 s' END,
       at + interval '10 s', '', 200 + n %% 4000, 1000, 50 + n %% 1000, 'provider', 0.001 * (n %% 7), 'USD'
FROM (SELECT n, now() - ({runs} - n) * interval '30 seconds' AS at
      FROM generate_series(%(begin)s, %(end)s - 1) AS n) AS numbers
"""
STATUS = "CASE WHEN n % 10 < 9 THEN 'complete' WHEN n % 50 = 9 THEN 'error' ELSE 'interrupted' END".replace("%", "%%")


@dataclass(frozen=True)
class Look:
    """One view of the list, with its query parameters."""

    name: str
    query: dict[str, str]


def looks() -> list[Look]:
    sortable = {"asked": 1, "first token": 6, "stop to closed": 7, "tokens": 8, "cost": 9, "reviewed": 11}
    return [
        Look("the newest", {}),
        Look("needs review", {"review": "needed"}),
        Look("stopped", {"end_reason__exact": "stopped"}),
        Look("errors", {"status__exact": "error"}),
        Look("a model", {"model": "model-1"}),
        Look("a rarely used model", {"model": "model-seldom"}),
        Look("a model that does not exist", {"model": "none"}),
        Look("one person", {"person": "seeded-4711"}),
        Look("many people", {"person": "seeded-47"}),
        Look("search for a title", {"q": "Conversation 4711"}),
        Look("a month", {"since": "2026-06-01", "until": "2026-06-30"}),
        *(Look(f"sorted by {name}", {"o": f"-{number}"}) for name, number in sortable.items()),
        Look("stopped, sorted by stop to closed", {"end_reason__exact": "stopped", "o": "-7"}),
    ]


def seed(connection: psycopg.Connection, batch: int = 100_000) -> None:
    names = {
        "conversation": CONVERSATION.replace("%", "%%"),
        "message": MESSAGE,
        "generation": GENERATION,
        "status": STATUS,
        "people": PEOPLE,
        "runs": RUNS,
    }
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.execute(PERSONS.format(**names))
    connection.execute(CONVERSATIONS.format(**names), {})
    for begin in range(0, RUNS, batch):
        part = {"begin": begin, "end": min(begin + batch, RUNS)}
        connection.execute(MESSAGES.format(**names), part)
        connection.execute(GENERATIONS.format(**names), part)
    connection.execute("SET session_replication_role = origin")
    connection.execute("VACUUM ANALYZE")


def measure(address: str, cookie: str, look: Look) -> list[float]:
    """Return the milliseconds of each request."""
    connection = http.client.HTTPConnection(address, timeout=120)
    times = []
    for _ in range(REQUESTS + 1):
        began = time.perf_counter()
        connection.request("GET", f"{LIST}?{urlencode(look.query)}", headers={"Cookie": cookie})
        answer = connection.getresponse()
        times.append(1000 * (time.perf_counter() - began))
        answer.read()
        assert answer.status == 200, f"{look.name}: {answer.status}"
    connection.close()
    return times[1:]


def download(server: rig.Subject, address: str, cookie: str, *, slowly: bool) -> tuple[int, float, float]:
    """Download the CSV of everything. Return rows, seconds, and the peak of additional server memory in bytes."""
    before = most = server.memory()
    began = time.perf_counter()
    connection = http.client.HTTPConnection(address, timeout=120)
    connection.request("GET", f"{LIST}export/", headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    rows = 0
    while piece := answer.read(SLOW_READ):
        rows += piece.count(b"\n")
        most = max(most, server.memory())
        if slowly:
            time.sleep(0.1)
            if time.perf_counter() - began > 20:
                break
    connection.close()
    return rows, time.perf_counter() - began, most - before


def _add_up() -> None:
    """Add up the summary above the list, as the servers do in the background."""
    from conversations.operations.summary.rollup import roll_up

    while roll_up():
        pass


def main() -> None:
    url = settings.DATABASES["default"]
    with rig.database():
        began = time.monotonic()
        with psycopg.connect(host=url["HOST"], user=url["USER"], dbname=url["NAME"], autocommit=True) as connection:
            seed(connection)
        print(f"{RUNS:,} generations of {PEOPLE:,} people, seeded in {time.monotonic() - began:.0f} s\n")
        _add_up()
        administrator = get_user_model().objects.create_superuser("administrator")
        with rig.provider() as provider, rig.subject(rig.OURS, provider) as server:
            address = server.url.removeprefix("ws://").removesuffix("/ws/")
            cookie = rig.sign_in(administrator)
            rows = []
            for look in looks():
                times = measure(address, cookie, look)
                rows.append([look.name, f"{rig.percentile(times, 0.5):.0f}", f"{max(times):.0f}"])
            rig.table(["list, ms", "median", "max"], rows)
            print()
            for slowly in (True, False):
                count, seconds, memory = download(server, address, cookie, slowly=slowly)
                how = "read slowly, ended early" if slowly else "read at once"
                print(f"CSV, {how}: {count:,} lines in {seconds:.0f} s, at most {memory / 1e6:.0f} MB more memory")
