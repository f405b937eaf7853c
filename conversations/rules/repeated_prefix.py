"""Drops the text that a continued answer repeats.

When asked to continue a text, some servers begin their reply with the whole text so far, others do not. Incoming text
is held back while it may still be such a repetition, and dropped once it turns out to repeat the whole text.
"""

MIN_LENGTH = 4
"""Minimum length in characters of a text that is compared: a model may repeat a shorter one on purpose."""


class RepeatedPrefix:
    """Filters the reply of one continued answer. `text` is the answer so far."""

    def __init__(self, text: str) -> None:
        self._expected = text if len(text) >= MIN_LENGTH else ""
        self._held = ""

    def strip(self, text: str) -> str:
        """Take the next part of the reply. Return the part that is known to be new; "" while that is undecided."""
        if not self._expected:
            return text
        self._held += text
        if self._held.startswith(self._expected):
            return self._stop_comparing(self._held[len(self._expected) :])
        return "" if self._expected.startswith(self._held) else self.release()

    def release(self) -> str:
        """Return what was held back: the reply has ended, so it was not a repetition."""
        return self._stop_comparing(self._held)

    def _stop_comparing(self, new: str) -> str:
        self._expected = self._held = ""
        return new
