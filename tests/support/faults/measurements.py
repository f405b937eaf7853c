"""Figures that the fault tests measure, printed at the end of the session for docs/reliability.md."""

from collections.abc import Sequence

_lines: list[str] = []


def note(case: str, text: str) -> None:
    _lines.append(f"{case}: {text}")


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def note_times(case: str, seconds: Sequence[float]) -> tuple[float, float]:
    """Note a series of times in seconds; returns its p50 and p99."""
    middle, high = percentile(seconds, 0.5), percentile(seconds, 0.99)
    shown = ", ".join(
        f"{name} {value * 1000:.1f} ms" for name, value in (("p50", middle), ("p99", high), ("most", max(seconds)))
    )
    note(case, f"{shown} ({len(seconds)} times)")
    return middle, high


def lines() -> list[str]:
    return list(_lines)
