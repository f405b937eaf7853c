"""The life of one generation: what it has written, and which of several ends wins.

The first decision wins. If the finish reason arrives before a stop, the answer is complete; if the stop comes first, it
is interrupted, whatever the provider sends afterwards. Times are seconds of a monotonic clock, passed in by the caller.
"""

import math
from dataclasses import dataclass

from .finish_reasons import outcome_of
from .repeated_prefix import RepeatedPrefix
from .status import EndReason, Outcome

LINGER = 2.0
"""Seconds to wait for usage and `[DONE]` after the end is decided."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a generation may take. Times are in seconds.

    `first_token`: from the request to the first text, without any activity. `silence`: between two activities.
    `total`: the whole generation. `no_text`: with activity but without text. `max_characters`: length of the message.
    """

    first_token: float
    silence: float
    total: float
    max_characters: int
    no_text: float = 300.0


class Lifecycle:
    """The text and outcome of one generation. `prefix` is the text so far of an answer that is continued.

    `written` counts characters, `tokens` and `thoughts` count chunks with text and with reasoning.
    """

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
        self.last_text_at = now
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
        """Estimated tokens of reasoning: most chunks hold one, but some providers send several at once."""
        return max(self.thoughts, math.ceil(self.thought_characters / 4))

    def open(self, now: float) -> None:
        """Note that the provider's response headers arrived."""
        self.opened_at = now

    def record_activity(self, now: float, thoughts: int = 0, characters: int = 0) -> None:
        """Note that something other than text arrived: a comment, progress, or reasoning in `thoughts` chunks of
        `characters` in all."""
        self.heard_at = now
        if self.outcome is None:
            self.thoughts += thoughts
            self.thought_characters += characters

    def add_text(self, text: str, now: float, chunks: int = 1) -> str:
        """Add text that came in this number of chunks. Return the part that belongs to the answer: "" once the outcome
        is decided."""
        if self.outcome is not None:
            return ""
        if self.first_token_at is None:
            self.first_token_at = now
        self.heard_at = self.last_text_at = now
        self.tokens += chunks
        return self._keep(self._repetition.strip(text), now)

    def _keep(self, text: str, now: float) -> str:
        kept = text[: max(0, self.limits.max_characters - self.length)]
        self.written += len(kept)
        self._parts.append(kept)
        if len(kept) < len(text):
            self._decide(Outcome(EndReason.TOO_LARGE, detail=f"over {self.limits.max_characters} characters"), now)
        return kept

    def finish(self, word: str, now: float) -> str:
        """Take the finish reason `word`. Return text that was held back and belongs to the answer."""
        kept = self._release(now)
        self._decide(outcome_of(word, written=bool(self.text.strip()), thought=self.thoughts > 0), now)
        return kept

    def _release(self, now: float) -> str:
        return self._keep(self._repetition.release(), now) if self.outcome is None else ""

    def stop(self, reason: EndReason, now: float) -> bool:
        """End it because somebody asked to, or nobody is viewing it. Return True if that decided the outcome."""
        return self._decide(Outcome(reason), now)

    def fail(self, outcome: Outcome, now: float) -> bool:
        """End it because something failed. Return True if that decided the outcome."""
        return self._decide(outcome, now)

    def end_of_stream(self, now: float) -> str:
        """Note that the stream ended. Without a finish reason the answer was cut off, even if the stream was closed
        properly. Return text that was held back and belongs to the answer."""
        kept = self._release(now)
        self._decide(Outcome(EndReason.TRUNCATED), now)
        return kept

    def deadline(self) -> float:
        """Return when to call `expire`. The deadline can also move closer, with the first token."""
        if self.decided_at is not None:
            return self.decided_at + LINGER
        return min(max(self._silent_deadline(), self._active_deadline()), self.began_at + self.limits.total)

    def _silent_deadline(self) -> float:
        """The deadline for a provider that is silent."""
        return self.last_text_at + (self.limits.first_token if self.first_token_at is None else self.limits.silence)

    def _active_deadline(self) -> float:
        """The deadline for a provider that has been active since its last text."""
        if self.heard_at <= self.last_text_at:
            return self.last_text_at
        return min(self.heard_at + self.limits.silence, self.last_text_at + self.limits.no_text)

    def expire(self, now: float) -> bool:
        """Time out if the deadline has passed. Return True if the connection to the provider must be closed now:
        because of that, or because the end was decided and `LINGER` is over."""
        if now < self.deadline():
            return False
        self._decide(Outcome(EndReason.TIMED_OUT, detail=self._timeout_detail(now)), now)
        return True

    def _timeout_detail(self, now: float) -> str:
        limits = self.limits
        if now >= self.began_at + limits.total:
            return f"longer than {limits.total:g} s"
        if self.heard_at > self.last_text_at and now >= self.last_text_at + limits.no_text:
            return f"signs of life, but no text in {limits.no_text:g} s"
        if self.first_token_at is None and self.heard_at <= self.last_text_at:
            return f"no token in {limits.first_token:g} s"
        return f"silent for {now - self.heard_at:.3g} s"

    def _decide(self, outcome: Outcome, now: float) -> bool:
        """Set the outcome, unless there is one. Nothing else sets it."""
        if self.outcome is not None:
            return False
        self.outcome = outcome
        self.decided_at = now
        return True
