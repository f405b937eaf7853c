"""CPU of the server per 1,000 tokens, from the first prompt to the last end. Only ours formats and saves.

Also the latency of a token at that load, from the provider's write to the page's frame.
"""

import time
from dataclasses import dataclass

from bench import rig

STREAMS = 100
RATE = 50
WARM = 2.0 if rig.QUICK else 3.0
"""Seconds to wait after a server's first answers, so that work done once per process is not counted as the cost of a
token. Ours loads lexers two seconds after its start."""

TOKENS = 150 if rig.QUICK else 500
NAMES = [name for name in rig.NAMES if not rig.QUICK or name != "Channels + openai iterator + send"]


@dataclass
class Run:
    """One run: CPU in seconds per 1,000 tokens, latencies in milliseconds."""

    cpu: float
    p50: float
    p99: float
    load: float
    frames: float


def run(name: str, provider: rig.Provider, streams: int = STREAMS, rate: float = RATE, tokens: int = TOKENS) -> Run:
    with rig.subject(name, provider) as server, rig.clients(server.kind) as clients:
        held = rig.cookies(streams + 2, server)
        _ask(clients, server, held[:2], 20, rate)  # the cost of the first request of a process is not counted
        clients.do("close")
        time.sleep(WARM)
        clients.do("connect", urls=[server.url], cookies=held[2:])
        provider.streams()
        began, cpu = time.monotonic(), server.cpu()
        used = clients.do("ask", tokens=tokens, rate=rate, shape="answer", ramp=1.0)["cpu"]
        seen = clients.do("over")
        time.sleep(0.3)
        cpu = server.cpu() - cpu
        took = time.monotonic() - began
        written = provider.streams()
        rig.check(seen, written)
        if name == rig.OURS:
            rig.check_saved(seen, written)
        clients.do("close")
        latencies = [1000 * latency for latency in seen["latencies"]]
        return Run(
            cpu / (streams * tokens) * 1000,
            rig.percentile(latencies, 0.5),
            rig.percentile(latencies, 0.99),
            (used + seen["cpu"]) / took,
            sum(answer["frames"] for answer in seen["answers"]) / streams,
        )


def _ask(clients: rig.Clients, server: rig.Subject, cookies: list[str], tokens: int, rate: float) -> None:
    clients.do("connect", urls=[server.url], cookies=cookies)
    clients.do("ask", tokens=tokens, rate=rate, shape="answer", ramp=0.0)
    clients.do("over")


def main() -> None:
    with rig.database(), rig.provider() as provider:
        runs: dict[str, list[Run]] = {name: [] for name in NAMES}
        for _ in range(rig.RUNS):
            for name in NAMES:
                runs[name].append(run(name, provider))
    ours = rig.middle([run.cpu for run in runs[rig.OURS]])
    print(f"CPU: {STREAMS} streams × {RATE} tokens/s × {TOKENS} tokens; medians of {rig.RUNS} runs\n")
    head = ["", "CPU seconds per 1,000 tokens", "ours ÷ this", "added latency p50 ms", "p99 ms", "frames per answer"]
    rows = []
    for name, of in runs.items():
        cpu = rig.middle([run.cpu for run in of])
        latency = [f"{rig.middle([run.p50 for run in of]):.1f}", f"{rig.middle([run.p99 for run in of]):.1f}"]
        frames = f"{rig.middle([run.frames for run in of]):.0f}"
        rows.append([name, f"{cpu:.3f}", f"{ours / cpu:.2f}", *latency, frames])
    rig.table(head, rows)
