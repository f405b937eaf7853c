"""Server time of the first page for a person with 1,000 conversations, one of which has 1,000 messages.

Measured as in `history`: from the last byte of the request to the first of the response, over one persistent
connection.
"""

import statistics
from dataclasses import dataclass

import psycopg
from django.conf import settings

from bench import history, rig
from bench.seed import Size, seed

TIMES = 20
GOAL = 150
"""Milliseconds."""


@dataclass(frozen=True)
class Rich(Size):
    """Person 0 has 1,000 conversations, the first with 1,000 messages. Others have another thousand conversations."""

    @property
    def deep(self) -> int:
        return 1_000

    @property
    def of_one(self) -> int:
        return 1_000


SIZE = Rich(20_990)
ACTS = [
    history.Act("new chat", 0, "/", TIMES),
    history.Act("conversation of 1,000 messages", 0, history.path(0), TIMES),
    history.Act("the list alone", 0, "/sidebar/", TIMES),
    history.Act("settings", 0, "/settings/", TIMES),
]


def main() -> None:
    url = settings.DATABASES["default"]
    with rig.database():
        with psycopg.connect(host=url["HOST"], user=url["USER"], dbname=url["NAME"], autocommit=True) as connection:
            seed(connection, SIZE)
        with rig.provider() as provider, rig.subject(rig.OURS, provider) as server:
            rows = [(act.name, history.measure(server, act)) for act in ACTS]
    print(f"With {SIZE.of_one:,} conversations; ms of {TIMES} requests; goal of the first page: {GOAL} ms\n")
    rig.table(["", "median", "max"], [[name, f"{statistics.median(ms):.1f}", f"{max(ms):.1f}"] for name, ms in rows])
