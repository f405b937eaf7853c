"""The state that the blocks of an answer pass on: the outline, and how much costly rendering has been done."""

from __future__ import annotations

from collections.abc import Iterable

State = tuple[tuple[int, ...], int, int]


class Progress:
    """Headings so far, and the characters of code coloured (`coloured`) and of formulas read (`formulas`).

    The page's own headings come first, so an answer's begin at h3. No level is skipped on the way down, whatever the
    model wrote, so that the outline of a screen reader has no gap.
    """

    def __init__(self, open_levels: Iterable[int] = (), coloured: int = 0, formulas: int = 0) -> None:
        self._open_levels = list(open_levels)
        self.coloured = coloured
        self.formulas = formulas

    @property
    def state(self) -> State:
        """Everything, as arguments for `Progress(*state)` in another process."""
        return tuple(self._open_levels), self.coloured, self.formulas

    def heading(self, level: int) -> str:
        """Enter the next heading, which the model wrote at `level` (1 to 6). Returns the name of its element."""
        while self._open_levels and self._open_levels[-1] >= level:
            self._open_levels.pop()
        self._open_levels.append(level)
        return f"h{min(2 + len(self._open_levels), 6)}"
