"""What a continued answer repeats of itself. No I/O.

Asked to go on with a text, some servers begin their answer with that text, whole, and others do not. So what comes is
held back for as long as it is the beginning of the text, and dropped if it turns out to be all of it.
"""

MIN_LENGTH = 4
"""Characters. A shorter text may well be repeated on purpose."""


class RepeatedPrefix:
    """Takes text as it comes. `text`: what the answer begins with."""

    def __init__(self, text: str) -> None:
        self._expected = text if len(text) >= MIN_LENGTH else ""
        self._held = ""

    def strip(self, text: str) -> str:
        """What of it is new, as far as that is known by now."""
        if not self._expected:
            return text
        self._held += text
        if self._held.startswith(self._expected):
            return self._known(self._held[len(self._expected) :])
        return "" if self._expected.startswith(self._held) else self.release()

    def release(self) -> str:
        """Nothing more will come: what was held back, which was no repetition."""
        return self._known(self._held)

    def _known(self, text: str) -> str:
        self._expected = self._held = ""
        return text
