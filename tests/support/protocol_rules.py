"""The rules for the events of the socket (`docs/protocol.md`), and what a page shows after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# op → its fields besides `op`.
EVENTS: Mapping[str, frozenset[str]] = {
    "hello": frozenset(),
    "watching": frozenset({"conversation", "generation"}),
    "transcript": frozenset({"conversation", "after", "html", "head", "generation", "id", "url", "title"}),
    "snapshot": frozenset({"generation", "message", "seq", "html", "tail"}),
    "delta": frozenset({"generation", "seq", "html", "keep", "tail"}),
    "stopping": frozenset({"generation"}),
    "saving": frozenset({"generation"}),
    "end": frozenset({"generation", "message", "seq", "status", "reason", "note", "footer", "announce"}),
    "standing": frozenset({"generation", "message", "status", "reason", "id"}),
    "activity": frozenset({"conversation", "generation", "title"}),
    "refused": frozenset({"id", "refers", "code", "sentence"}),
    "ping": frozenset(),
}


@dataclass(frozen=True)
class Event:
    """One event, and when it arrived (`time.monotonic()`)."""

    fields: Mapping[str, Any]
    at: float

    @property
    def op(self) -> str:
        return str(self.fields["op"])

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def fits(self, op: str, match: Mapping[str, Any]) -> bool:
        return self.op == op and all(self.fields.get(name) == value for name, value in match.items())


@dataclass
class Shown:
    """What a page shows of one generation, updated as a page would."""

    seq: int
    done: str = ""
    tail: str = ""
    end: Event | None = None

    @property
    def html(self) -> str:
        return self.done + self.tail


class Rules:
    """Applies events one after the other, and notes violations of the protocol."""

    def __init__(self) -> None:
        self.shown: dict[str, Shown] = {}
        self.broken: list[str] = []

    def apply(self, event: Event) -> None:
        expected = EVENTS.get(event.op)
        if expected is None:
            self.broken.append(f"unknown event {event.op!r}")
        elif (given := frozenset(event.fields) - {"op"}) != expected:
            self.broken.append(f"{event.op}: fields {sorted(given)} instead of {sorted(expected)}")
        elif rule := getattr(self, f"_{event.op}", None):
            rule(event)

    def _transcript(self, event: Event) -> None:
        if event["generation"] is not None:
            self.shown[event["generation"]] = Shown(seq=0)

    def _snapshot(self, event: Event) -> None:
        shown = self.shown.get(event["generation"])
        if shown and shown.end:
            self.broken.append("snapshot after the end")
        self.shown[event["generation"]] = Shown(event["seq"], event["html"], event["tail"])

    def _delta(self, event: Event) -> None:
        if shown := self._next(event):
            shown.done += event["html"]
            shown.tail = grow_tail(shown.tail, event)

    def _end(self, event: Event) -> None:
        if shown := self._next(event):
            shown.end = event

    def _stopping(self, event: Event) -> None:
        shown = self.shown.get(event["generation"])
        if shown and shown.end:
            self.broken.append(f"{event.op} after the end")

    _saving = _stopping

    def _next(self, event: Event) -> Shown | None:
        """The state that the event continues; None, with a note, if there is none."""
        shown = self.shown.get(event["generation"])
        if shown is None:
            self.broken.append(f"{event.op} of a generation that was never introduced")
            return None
        if shown.end:
            self.broken.append(f"{event.op} after the end")
        if event["seq"] != shown.seq + 1:
            kind = "repeat" if event["seq"] <= shown.seq else "hole"
            self.broken.append(f"{event.op}: {kind} in the sequence, {event['seq']} after {shown.seq}")
        shown.seq = event["seq"]
        return shown


def grow_tail(tail: str, event: Event) -> str:
    """The tail after a delta that keeps some UTF-16 code units of the previous one."""
    return str(tail.encode("utf-16-le")[: 2 * event["keep"]].decode("utf-16-le") + event["tail"])
