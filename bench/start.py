"""Time of a second start, from the command to the first page. The database is running; static files are collected."""

import time
import urllib.error
import urllib.request

from bench import rig
from tests.support import servers


def start() -> float:
    began = time.monotonic()
    with servers.running() as server:
        urllib.request.urlopen(f"{server.url}/accounts/login/", timeout=10).close()
        return time.monotonic() - began


def main() -> None:
    with rig.database():
        start()
        times = [start() for _ in range(max(rig.RUNS, 3))]
    print(f"Second start, until the first page: {rig.middle(times):.1f} s (median of {len(times)})\n")
