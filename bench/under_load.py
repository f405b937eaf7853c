"""Time that the server adds to the first token, and time from Stop to the closed upstream, beside 100 streams.

Probes ask, read five tokens and stop. The time added to the first token is from the page's prompt to the provider's
socket, plus from the provider's first write to the page. The provider's own time is not included.
"""

from dataclasses import dataclass

from bench import rig, text

STREAMS = 100
RATE = 50
PROBES = 30 if rig.QUICK else 200
EVERY = 0.1
STOP_AFTER = 5
NAMES = [rig.OURS] if rig.QUICK else list(rig.NAMES)


@dataclass
class Run:
    """Times in milliseconds, one per probe."""

    first: list[float]
    stop: list[float]


def run(name: str, provider: rig.Provider) -> Run:
    with rig.subject(name, provider) as server, rig.clients(server.kind) as load, rig.clients(server.kind) as pages:
        load.do("connect", urls=[server.url], cookies=rig.cookies(STREAMS, server))
        load.do("ask", tokens=100_000, rate=RATE, shape="answer", ramp=2.0)
        pages.do("probe", urls=[server.url], cookies=rig.cookies(5, server), every=EVERY, stop_after=STOP_AFTER)
        provider.streams()
        cookies = rig.cookies(PROBES, server)
        seen = pages.do("probe", urls=[server.url], cookies=cookies, every=EVERY, stop_after=STOP_AFTER)
        assert name != rig.OURS or not seen["faults"], seen["faults"]
        lost = [float("inf")] * (PROBES - len(seen["probes"]))
        written = provider.streams()
        return Run(
            [1000 * added(probe, written[probe["key"]]) for probe in seen["probes"]] + lost,
            [closed(probe, written[probe["key"]]) for probe in seen["probes"]] + lost,
        )


def added(probe: dict[str, float], wrote: dict[str, float]) -> float:
    there = wrote["asked_at"] - probe["asked_at"]
    back = text.age(str(probe["word"]), probe["first_at"])
    return there + back


def closed(probe: dict[str, float], wrote: dict[str, float | None]) -> float:
    """Return milliseconds from Stop to the closed upstream; infinity if it was still open at the end."""
    at = wrote["closed_at"]
    return float("inf") if at is None else 1000 * (at - probe["stop_at"])


def main() -> None:
    with rig.database(), rig.provider() as provider:
        runs: dict[str, list[Run]] = {name: [] for name in NAMES}
        for _ in range(rig.RUNS):
            for name in NAMES:
                runs[name].append(run(name, provider))
    print(f"At {STREAMS} streams × {RATE} tokens/s; medians of {rig.RUNS} runs of {PROBES} answers each, in ms\n")
    rows = []
    for name, of in runs.items():
        values = [[rig.percentile(times, share) for times in series] for series, share in _columns(of)]
        rows.append([name, *(f"{rig.middle(column):.1f}" for column in values)])
    head = ["", "added to the first token p50", "p99", "Stop → upstream closed p50", "p99"]
    rig.table(head, rows)


def _columns(runs: list[Run]) -> list[tuple[list[list[float]], float]]:
    first, stop = [run.first for run in runs], [run.stop for run in runs]
    return [(first, 0.5), (first, 0.99), (stop, 0.5), (stop, 0.99)]
