"""A few words from a model, for something that is not a conversation: a title, the test of a connection."""

import logging
from collections.abc import Sequence

from .client import Provider, Turn
from .sse import ProviderError
from .token_counter import rough

logger = logging.getLogger(__name__)

ENOUGH = 400
"""Characters of an answer that are kept, whatever the endpoint makes of the limit."""

LIMITS = ("max_tokens", "max_completion_tokens")
"""Names of the same limit: newer models of OpenAI refuse the first one, others do not know the second."""


class Line:
    """Gathers a short answer (llm.Sink), and what it used, as far as the provider said."""

    def __init__(self) -> None:
        self.asked = False
        self.tokens: tuple[int | None, int | None] = (None, None)
        self.length = 0
        self.thoughts = 0
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def opened(self) -> None:
        self.asked = True

    def delta(self, text: str, pieces: int) -> None:
        self.length += len(text)
        if self.length - len(text) < ENOUGH:
            self._texts.append(text)

    def alive(self, thoughts: int = 0, characters: int = 0) -> None:
        self.thoughts += max(thoughts, rough(characters))

    def finished(self, reason: str) -> None: ...

    def usage(self, tokens_in: int | None, tokens_out: int | None) -> None:
        self.tokens = tokens_in, tokens_out

    def taken(self) -> float:
        return 0.0


class Limits:
    """Which name of the limit each model took last: it is the first to be tried."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    async def ask(self, provider: Provider, model: str, turns: Sequence[Turn], tokens: int, line: Line) -> None:
        """Let the model write at most so many tokens into `line`. Raises ProviderError; may be cancelled."""
        names = sorted(LIMITS, key=lambda name: name != self._known.get(model, LIMITS[0]))
        for name in names:
            try:
                await provider.stream(model, turns, line, **{name: tokens})
            except ProviderError as error:
                if error.outcome.code not in ("400", "422") or name == names[-1]:
                    raise
            else:
                self._known[model] = name
                return
