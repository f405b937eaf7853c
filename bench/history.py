"""Server time for opening, listing and searching with 1,000 and with 10,000,000 messages.

Server time is from the last byte of the request to the first of the response, over one persistent connection. The
sidebar and the page are requested as the browser does.
"""

import http.client
import os
import time
import uuid
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.contrib.auth import get_user_model

from bench import rig
from bench.seed import SUBJECTS, Size, seed

SMALL = Size(1_000)
LARGE = Size(int(os.environ.get("BENCH_MESSAGES", "100000" if rig.QUICK else "10000000")))
REQUESTS = 60 if rig.QUICK else 200


@dataclass(frozen=True)
class Act:
    """A request: its path, the number of the person who makes it, and how often."""

    name: str
    person: int
    path: str
    times: int


def acts(size: Size) -> list[Act]:
    other = size.of_one + 2  # a conversation of ten messages that does not belong to person 0
    owner = 1 + other % (size.people - 1)
    return [
        Act("open a conversation of 10 messages", owner, path(other), REQUESTS),
        Act(f"open a conversation of {size.deep:,} messages", 0, path(0), REQUESTS),
        Act("list, usual person", owner, "/sidebar/", REQUESTS),
        Act(f"list, person with {size.of_one:,} conversations", 0, "/sidebar/", REQUESTS),
        Act("new chat", owner, "/", REQUESTS),
        *searches("usual person", owner, size.deep + (other - 1) * 10),
        *searches(f"person with {size.of_one:,} conversations", 0, size.deep),
    ]


def searches(whose: str, person: int, number: int) -> list[Act]:
    """Searches for four words: one that only message `number` of this person contains, one in a thousandth of all
    messages, one in all, and one in none."""
    words = {
        "a word in one message": str(number),
        "in one message of a thousand": f"subject{number % SUBJECTS}",
        "in all messages": "number",
        "in none": "nowhere",
    }
    return [Act(f"search, {whose}: {name}", person, f"/search/?q={word}", REQUESTS) for name, word in words.items()]


def path(number: int) -> str:
    digits = f"{number:012x}70008000{1:012x}"
    return f"/c/{uuid.UUID(digits)}/"


def measure(server: rig.Subject, act: Act) -> list[float]:
    """Return the milliseconds of each request."""
    user = get_user_model().objects.get(username=f"seeded-{act.person}")
    cookie = rig.sign_in(user)
    connection = http.client.HTTPConnection(server.url.removeprefix("ws://").removesuffix("/ws/"), timeout=120)
    times = []
    for _ in range(act.times + 3):
        began = time.perf_counter()
        connection.request("GET", act.path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        times.append(1000 * (time.perf_counter() - began))
        answer.read()
        assert answer.status == 200, f"{act.path}: {answer.status}"
    connection.close()
    return times[3:]


def run(size: Size) -> tuple[float, list[tuple[str, float]]]:
    """Return the seconds that seeding took, and the p95 of each act."""
    began = time.monotonic()
    url = settings.DATABASES["default"]
    with psycopg.connect(host=url["HOST"], user=url["USER"], dbname=url["NAME"], autocommit=True) as connection:
        connection.execute("TRUNCATE auth_user, conversations_searchentry CASCADE")
        seed(connection, size)
    took = time.monotonic() - began
    with rig.provider() as provider, rig.subject(rig.OURS, provider) as server:
        return took, [(act.name, rig.percentile(measure(server, act), 0.95)) for act in acts(size)]


def main() -> None:
    with rig.database():
        _took, small = run(SMALL)
        took, large = run(LARGE)
    print(f"History of {LARGE.messages:,} messages (seeded in {took:.0f} s) against {SMALL.messages:,}; p95 in ms\n")
    rows = [
        [name, f"{before:.1f}", f"{after:.1f}", f"{after / before:.2f}"]
        for (_name, before), (name, after) in zip(small, large, strict=True)
    ]
    rig.table(["", f"{SMALL.messages:,}", f"{LARGE.messages:,}", "ratio"], rows)
