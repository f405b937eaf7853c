"""Resident memory of the server per idle page, per page with a streaming answer, and over minutes of churn."""

import os
import time

from bench import rig

PAGES = 100 if rig.QUICK else 200
MINUTES = float(os.environ.get("BENCH_CHURN", "0" if rig.QUICK else "10"))
RATE = 20


def run(provider: rig.Provider) -> tuple[float, float]:
    """Return kilobytes per idle page, and per page with a streaming answer."""
    with rig.subject(rig.OURS, provider) as server, rig.clients(server.kind) as clients:
        held = rig.cookies(PAGES + 10, server)
        clients.do("connect", urls=[server.url], cookies=held[:10])
        clients.do("ask", tokens=50, rate=50, shape="answer", ramp=0.5)
        clients.do("over")
        clients.do("close")
        empty = server.memory()
        clients.do("connect", urls=[server.url], cookies=held[10:])
        time.sleep(1)
        idle = server.memory()
        clients.do("ask", tokens=100_000, rate=RATE, shape="answer", ramp=2.0)
        time.sleep(3 if rig.QUICK else 20)
        watching = server.memory()
        return (idle - empty) / PAGES / 1000, (watching - empty) / PAGES / 1000


def churn(provider: rig.Provider, minutes: float) -> list[float]:
    """Return megabytes at the end of each minute, while ten pages a second connect, ask, read, stop and leave."""
    with rig.subject(rig.OURS, provider) as server, rig.clients(server.kind) as clients:
        seen = []
        for _ in range(round(minutes)):
            began = time.monotonic()
            cookies = rig.cookies(500, server)
            clients.do("probe", urls=[server.url], cookies=cookies, every=0.1, stop_after=20)
            provider.streams()
            time.sleep(max(0.0, began + 60 - time.monotonic()))
            seen.append(server.memory() / 1e6)
        return seen


def main() -> None:
    with rig.database(), rig.provider() as provider:
        runs = [run(provider) for _ in range(rig.RUNS)]
        over_time = churn(provider, MINUTES) if MINUTES else []
    print(f"Memory with {PAGES} pages; medians of {rig.RUNS} runs\n")
    idle, watching = (rig.middle([run[column] for run in runs]) for column in range(2))
    rig.table(["", "kB"], [["per idle page", f"{idle:.0f}"], ["per page with a streaming answer", f"{watching:.0f}"]])
    if over_time:
        head = [f"minute {number}" for number in range(1, len(over_time) + 1)]
        print("Resident MB under churn: 500 pages a minute connect, ask, read 20 tokens, stop and leave\n")
        rig.table(head, [[f"{size:.1f}" for size in over_time]])
