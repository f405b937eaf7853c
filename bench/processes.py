"""CPU per 1,000 tokens of two processes on one database, with pages divided between them, compared with one process.

On a machine with two cores, the clients, the provider and PostgreSQL need one of them. So this cannot measure how many
streams two processes carry, only how much the second process adds to the work per token.
"""

import time

from bench import rig

STREAMS = 100
RATE = 30
TOKENS = 150 if rig.QUICK else 300


def run(provider: rig.Provider, processes: int) -> float:
    """Return CPU seconds per 1,000 tokens, of all processes together."""
    with rig.subject(rig.OURS, provider) as first, rig.subject(rig.OURS, provider) as second:
        used = [first, second][:processes]
        with rig.clients(first.kind) as clients:
            held = rig.cookies(STREAMS, first)
            clients.do("connect", urls=[server.url for server in used], cookies=held)
            provider.streams()
            cpu = sum(server.cpu() for server in used)
            clients.do("ask", tokens=TOKENS, rate=RATE, shape="answer", ramp=1.0)
            seen = clients.do("over")
            time.sleep(0.3)
            cpu = sum(server.cpu() for server in used) - cpu
            written = provider.streams()
            rig.check(seen, written)
            rig.check_saved(seen, written)
            clients.do("close")
        return cpu / (STREAMS * TOKENS) * 1000


def main() -> None:
    with rig.database(), rig.provider() as provider:
        runs: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(rig.RUNS):
            for processes, found in runs.items():
                found.append(run(provider, processes))
    one, two = (rig.middle(found) for found in runs.values())
    print(f"{STREAMS} streams × {RATE} tokens/s: CPU seconds per 1,000 tokens; medians of {rig.RUNS} runs\n")
    rig.table(["one process", "two processes", "ratio"], [[f"{one:.3f}", f"{two:.3f}", f"{two / one:.2f}"]])
