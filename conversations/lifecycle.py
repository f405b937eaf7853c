"""The rules of a generation: what it has written, how it ended, and which of several ends wins.

No I/O and no clock of its own: times are seconds of any monotonic clock, passed in by the caller. The first decision
wins. A finish reason that arrived before a stop makes the answer complete; a stop that came first makes it interrupted,
whatever the provider still sends.
"""

from dataclasses import dataclass

from .outcomes import EndReason, Status

LINGER = 2.0
"""Seconds to wait for usage and `[DONE]` behind the finish reason."""

FINISH_REASONS = {"length": EndReason.LENGTH, "content_filter": EndReason.CONTENT_FILTER}
"""The provider's words for an end that is not simply the model's own (Chat Completions, `finish_reason`)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and for `answer` characters."""

    first_token: float
    silence: float
    run: float
    answer: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `code` and `detail` are safe to show to an administrator."""

    reason: EndReason
    code: str = ""
    detail: str = ""
    retry_after: int | None = None

    @property
    def status(self) -> Status:
        return self.reason.status


class Lifecycle:
    """One generation's text and outcome. `prefix` is what a continued answer begins with."""

    def __init__(self, limits: Limits, now: float, prefix: str = "") -> None:
        self.limits = limits
        self.outcome: Outcome | None = None
        self.written = 0
        self.tokens = 0
        self.began_at = now
        self.opened_at: float | None = None
        self.first_token_at: float | None = None
        self.heard_at = now
        self.decided_at: float | None = None
        self._parts = [prefix] if prefix else []
        self._prefix = len(prefix)

    @property
    def text(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def length(self) -> int:
        """Characters of the whole message so far."""
        return self._prefix + self.written

    def open(self, now: float) -> None:
        """The provider's headers arrived."""
        self.opened_at = now

    def alive(self, now: float) -> None:
        """The model works, if not on the text (it thinks, or calls a tool)."""
        self.heard_at = now

    def delta(self, text: str, now: float, pieces: int = 1) -> str:
        """Take text that came in so many pieces. Returns what of it belongs to the answer: "" once the outcome is
        decided."""
        if self.outcome is not None:
            return ""
        room = self.limits.answer - self.written
        kept = text[:room]
        if self.first_token_at is None:
            self.first_token_at = now
        self.heard_at = now
        self.tokens += pieces
        self.written += len(kept)
        self._parts.append(kept)
        if len(kept) < len(text):
            self._decide(Outcome(EndReason.TOO_LARGE, detail=f"over {self.limits.answer} characters"), now)
        return kept

    def finish(self, reason: str, now: float) -> None:
        """The provider said that the answer is finished, and why."""
        self._decide(Outcome(FINISH_REASONS.get(reason, EndReason.FINISHED)), now)

    def stop(self, reason: EndReason, now: float) -> bool:
        """Somebody wants it to end; True if that decided it."""
        return self._decide(Outcome(reason), now)

    def fail(self, outcome: Outcome, now: float) -> bool:
        """Something went wrong; True if that decided it."""
        return self._decide(outcome, now)

    def end_of_stream(self, now: float) -> None:
        """Nothing more will come. An answer without a finish reason was cut off, however clean the end looked."""
        self._decide(Outcome(EndReason.TRUNCATED), now)

    def deadline(self) -> float:
        """When to look at `overdue` again."""
        if self.decided_at is not None:
            return self.decided_at + LINGER
        patience = self.limits.silence if self.first_token_at is not None else self.limits.first_token
        return min(self.heard_at + patience, self.began_at + self.limits.run)

    def overdue(self, now: float) -> bool:
        """True if the upstream has to be closed now: it is silent, the run is too long, or all was said."""
        if now < self.deadline():
            return False
        if now >= self.began_at + self.limits.run:
            self._decide(Outcome(EndReason.TIMED_OUT, detail=f"longer than {self.limits.run:g} s"), now)
        elif self.first_token_at is None:
            self._decide(Outcome(EndReason.TIMED_OUT, detail=f"no token in {self.limits.first_token:g} s"), now)
        else:
            self._decide(Outcome(EndReason.TIMED_OUT, detail=f"silent for {self.limits.silence:g} s"), now)
        return True

    def _decide(self, outcome: Outcome, now: float) -> bool:
        """The only place that sets the outcome."""
        if self.outcome is not None:
            return False
        self.outcome = outcome
        self.decided_at = now
        return True
