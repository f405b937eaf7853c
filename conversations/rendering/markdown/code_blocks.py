"""Colours code blocks once they are finished, within the limits of the answer."""

from . import highlighting
from .errors import NotQuickError
from .progress import Progress

MAX_IN_UNFINISHED = 32
"""Code blocks that are coloured within an unfinished block, which is rendered again and again."""


class CodeBlocks:
    """The code blocks within one block of Markdown.

    `out`: the HTML written so far. `final`: the block is finished. `quick`: raise NotQuickError instead of colouring.
    """

    def __init__(self, out: list[str], progress: Progress, *, final: bool, quick: bool) -> None:
        self._out = out
        self._progress = progress
        self._final = final
        self._quick = quick
        self._plain: tuple[int, str, str] | None = None  # index in `out`, code and language of the last one
        self._coloured_early = 0

    def html(self, code: str, language: str) -> str:
        """The HTML of a code block that is about to be appended to `out`. Within an unfinished block it is plain: it
        may still grow. Raises NotQuickError."""
        if self._final:
            return self._coloured(code, language)
        if self._coloured_early < MAX_IN_UNFINISHED:
            self._plain = (len(self._out), code, language)
        return highlighting.code_block(code, language)

    def colour_previous(self) -> None:
        """Something follows the last code block, so it is finished: replace it by its coloured HTML. Raises
        NotQuickError."""
        if self._plain is not None:
            index, code, language = self._plain
            self._out[index] = self._coloured(code, language)
            self._plain = None
            self._coloured_early += 1

    def _coloured(self, code: str, language: str) -> str:
        if self._progress.coloured >= highlighting.MAX_PER_ANSWER or not highlighting.can_colour(code, language):
            return highlighting.code_block(code, language)
        if self._quick:
            raise NotQuickError
        html, cost = highlighting.coloured_block(code, language)
        self._progress.coloured += cost
        return html
