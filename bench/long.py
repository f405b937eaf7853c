"""CPU of the server per token of long answers, compared with short ones of the same shape and rate."""

from dataclasses import dataclass

from bench import rig

RATE = 1000
SHORT = 500
REPEATS = 5
"""Short answers per run, one after the other. Their mean CPU counts."""

LONG = {
    "prose": ("50,000 tokens of prose", 50_000),
    "list": ("one list of 2,000 items", 16_000),
    "table": ("one table of 2,000 rows", 16_000),
    "code": ("one code block of 5,000 lines", 30_000),
}


@dataclass
class Run:
    """CPU in microseconds per token, and the number of pages that fell so far behind that the end replaced all text."""

    cpu: float
    behind: int


def run(provider: rig.Provider, shape: str, tokens: int, repeats: int) -> Run:
    with rig.subject(rig.OURS, provider) as server, rig.clients(server.kind) as clients:
        held = rig.cookies(repeats + 1, server)
        clients.do("connect", urls=[server.url], cookies=held)
        clients.do("ask", tokens=20, rate=RATE, shape=shape, ramp=0.0, pages=1)
        clients.do("over")
        provider.streams()
        cpu, behind = server.cpu(), 0
        for _ in range(repeats):
            clients.do("ask", tokens=tokens, rate=RATE, shape=shape, ramp=0.0, pages=1)
            seen = clients.do("over")
            rig.check(seen, provider.streams())
            behind += seen["caught_up"]
        return Run((server.cpu() - cpu) / (tokens * repeats) * 1e6, behind)


def main() -> None:
    rows = []
    with rig.database(), rig.provider() as provider:
        for shape, (name, tokens) in LONG.items():
            short = rig.middle([run(provider, shape, SHORT, REPEATS).cpu for _ in range(rig.RUNS)])
            runs = [run(provider, shape, tokens, 1) for _ in range(rig.RUNS)]
            long = rig.middle([run.cpu for run in runs])
            behind = f"{sum(run.behind for run in runs)} of {rig.RUNS}"
            rows.append([name, f"{short:.0f}", f"{long:.0f}", f"{long / short:.2f}", behind])
    print(f"CPU per token in µs, at {RATE} tokens/s; medians of {rig.RUNS} runs\n")
    rig.table(["", f"{SHORT} tokens", "all tokens", "ratio", "pages too far behind at the end"], rows)
