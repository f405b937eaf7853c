"""How many streams one process carries before the p99 of the added latency exceeds 250 ms.

Each step adds streams, waits until the load is steady, and measures the tokens of a few seconds. The table also shows
how busy the clients and the provider keep their core: if they are the bottleneck, the figure says nothing about the
server.
"""

import os
import sys
import time
from dataclasses import dataclass

import psutil

from bench import rig

RATE = 30
LIMIT = 250.0
SETTLE, LOOK = 2.0, 4.0
LOOKS = 2
"""Measurements per step. One of them has to meet the limit, because other programs on the machine may spoil one."""

STEPS = {rig.OURS: int(os.environ.get("BENCH_STEP", "50")), "bare relay": 200}
USUAL_STEP = int(os.environ.get("BENCH_USUAL_STEP", "20"))
MOST = 2000
BEGINNING = 50
"""Pages that ask per second, so that a large step is not a burst."""

NAMES = list(rig.NAMES)


@dataclass
class Found:
    """The most streams that met the limit, their p99 in ms, and the load of the clients' and provider's core."""

    streams: int
    p99: float
    busy: float


def run(name: str, provider: rig.Provider) -> Found:
    step = STEPS.get(name, USUAL_STEP)
    found = Found(0, 0.0, 0.0)
    with rig.subject(name, provider) as server, rig.clients(server.kind) as clients:
        loaders = [psutil.Process(clients.process.pid), psutil.Process(provider.process.pid)]
        streams = 0
        while streams < MOST:
            clients.do("connect", urls=[server.url], cookies=rig.cookies(step, server))
            clients.do("ask", tokens=100_000, rate=RATE, shape="answer", ramp=max(1.0, step / BEGINNING))
            streams += step
            held = next((seen for _ in range(LOOKS) if (seen := _look(name, clients, loaders)).p99 <= LIMIT), None)
            if held is None:
                break
            found = Found(streams, held.p99, held.busy)
    provider.streams()
    return found


def _look(name: str, clients: rig.Clients, loaders: list[psutil.Process]) -> Found:
    """Measure the tokens of the next seconds. Under load, baselines may break answers off; our server may not."""
    time.sleep(SETTLE)
    since, used = time.monotonic(), _cpu(loaders)
    time.sleep(LOOK)
    seen = clients.do("window", since=since)
    assert name != rig.OURS or not seen["faults"], seen["faults"]
    p99 = float("inf") if seen["faults"] else 1000 * rig.percentile(seen["latencies"], 0.99)
    return Found(seen["running"], p99, (_cpu(loaders) - used) / LOOK)


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def main() -> None:
    with rig.database(), rig.provider() as provider:
        runs: dict[str, list[Found]] = {name: [] for name in NAMES}
        for _ in range(rig.RUNS):
            for name in NAMES:
                runs[name].append(run(name, provider))
                print(f"{name}: {runs[name][-1]}", file=sys.stderr, flush=True)  # this takes long
    ours = rig.middle([found.streams for found in runs[rig.OURS]])
    print(f"Streams per process at {RATE} tokens/s with p99 ≤ {LIMIT:g} ms; medians of {rig.RUNS} runs\n")
    rows = []
    for name, of in runs.items():
        streams = rig.middle([found.streams for found in of])
        p99 = f"{rig.middle([found.p99 for found in of]):.0f}"
        busy = f"{rig.middle([found.busy for found in of]):.0%}"
        rows.append([name, f"{streams:.0f}", f"{ours / streams:.1f}" if streams else "–", p99, busy])
    rig.table(["", "streams", "ours ÷ this", "p99 in ms at that load", "load of the clients' core"], rows)
