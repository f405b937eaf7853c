"""The rules of a generation: what it has written, how it ended, and which of several ends wins.

No I/O and no clock of its own: times are seconds of any monotonic clock, passed in by the caller. The first decision
wins. A finish reason that arrived before a stop makes the answer complete; a stop that came first makes it interrupted,
whatever the provider still sends.
"""

import math
from dataclasses import dataclass

from .finish_reasons import outcome_of
from .repeated_prefix import RepeatedPrefix
from .status import EndReason
from .status import Outcome as Outcome

LINGER = 2.0
"""Seconds to wait for usage and `[DONE]` behind the finish reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and for `answer` characters. `wordless`: how long an answer may show signs of life without text."""

    first_token: float
    silence: float
    total: float
    max_characters: int
    no_text: float = 300.0


class Lifecycle:
    """One generation's text and outcome. `prefix` is what a continued answer begins with."""

    def __init__(self, limits: Limits, now: float, prefix: str = "") -> None:
        self.limits = limits
        self.outcome: Outcome | None = None
        self.written = 0
        self.tokens = 0
        self.thoughts = 0
        self.thought_characters = 0
        self.began_at = now
        self.opened_at: float | None = None
        self.first_token_at: float | None = None
        self.heard_at = now
        self.worded_at = now
        self.decided_at: float | None = None
        self._parts = [prefix] if prefix else []
        self._prefix = len(prefix)
        self._repetition = RepeatedPrefix(prefix)

    @property
    def text(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def length(self) -> int:
        """Characters of the whole message so far."""
        return self._prefix + self.written

    @property
    def thought_tokens(self) -> int:
        """About so many were spent on thinking: a chunk has mostly one, and some providers send several at once."""
        return max(self.thoughts, math.ceil(self.thought_characters / 4))

    def open(self, now: float) -> None:
        """The provider's headers arrived."""
        self.opened_at = now

    def record_activity(self, now: float, thoughts: int = 0, characters: int = 0) -> None:
        """Something arrived that is no text: a comment, a sign of progress, or so much thinking."""
        self.heard_at = now
        if self.outcome is None:
            self.thoughts += thoughts
            self.thought_characters += characters

    def add_text(self, text: str, now: float, pieces: int = 1) -> str:
        """Take text that came in so many pieces. Returns what of it belongs to the answer: "" once the outcome is
        decided."""
        if self.outcome is not None:
            return ""
        if self.first_token_at is None:
            self.first_token_at = now
        self.heard_at = self.worded_at = now
        self.tokens += pieces
        return self._keep(self._repetition.strip(text), now)

    def _keep(self, text: str, now: float) -> str:
        kept = text[: max(0, self.limits.max_characters - self.length)]
        self.written += len(kept)
        self._parts.append(kept)
        if len(kept) < len(text):
            self._decide(Outcome(EndReason.TOO_LARGE, detail=f"over {self.limits.max_characters} characters"), now)
        return kept

    def finish(self, word: str, now: float) -> str:
        """The provider said that the answer is finished, and why. Returns text that belongs to it and was held back."""
        kept = self._release(now)
        self._decide(outcome_of(word, written=bool(self.text.strip()), thought=self.thoughts > 0), now)
        return kept

    def _release(self, now: float) -> str:
        return self._keep(self._repetition.release(), now) if self.outcome is None else ""

    def stop(self, reason: EndReason, now: float) -> bool:
        """Somebody wants it to end; True if that decided it."""
        return self._decide(Outcome(reason), now)

    def fail(self, outcome: Outcome, now: float) -> bool:
        """Something went wrong; True if that decided it."""
        return self._decide(outcome, now)

    def end_of_stream(self, now: float) -> str:
        """Nothing more will come. An answer without a finish reason was cut off, however clean the end looked. Returns
        text that belongs to it and was held back."""
        kept = self._release(now)
        self._decide(Outcome(EndReason.TRUNCATED), now)
        return kept

    def deadline(self) -> float:
        """When to look at `overdue` again. It becomes nearer, too: with the first token."""
        if self.decided_at is not None:
            return self.decided_at + LINGER
        return min(max(self._text_due(), self._life_due()), self.began_at + self.limits.total)

    def _text_due(self) -> float:
        """When patience ends with a provider that shows no life."""
        return self.worded_at + (self.limits.first_token if self.first_token_at is None else self.limits.silence)

    def _life_due(self) -> float:
        """When it ends with one that has shown life since its last text."""
        if self.heard_at <= self.worded_at:
            return self.worded_at
        return min(self.heard_at + self.limits.silence, self.worded_at + self.limits.no_text)

    def expire(self, now: float) -> bool:
        """True if the upstream has to be closed now: it is silent, the run is too long, or all was said."""
        if now < self.deadline():
            return False
        self._decide(Outcome(EndReason.TIMED_OUT, detail=self._out_of_patience(now)), now)
        return True

    def _out_of_patience(self, now: float) -> str:
        limits = self.limits
        if now >= self.began_at + limits.total:
            return f"longer than {limits.total:g} s"
        if self.heard_at > self.worded_at and now >= self.worded_at + limits.no_text:
            return f"signs of life, but no text in {limits.no_text:g} s"
        if self.first_token_at is None and self.heard_at <= self.worded_at:
            return f"no token in {limits.first_token:g} s"
        return f"silent for {now - self.heard_at:.3g} s"

    def _decide(self, outcome: Outcome, now: float) -> bool:
        """The only place that sets the outcome."""
        if self.outcome is not None:
            return False
        self.outcome = outcome
        self.decided_at = now
        return True
