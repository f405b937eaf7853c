"""Requests a few words from a model for something other than a conversation: a title, or a connection test."""

import logging
from collections.abc import Sequence

from conversations.rules.provider_error_outcomes import ProviderError

from .client import ProviderClient
from .prompt_turn import Turn
from .token_counter import estimated_tokens

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 400
"""Characters after which text is ignored, in case the endpoint ignores the limit of tokens."""

LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
"""The two names of the limit: newer models of OpenAI refuse the first, other providers do not know the second."""


class ShortAnswer:
    """Collects a short answer and its usage (client.Sink). `tokens` are the provider's counts, (None, None) without
    them; `length` is in characters, `thoughts` the estimated tokens of thinking."""

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

    def delta(self, text: str, chunks: int) -> None:
        self.length += len(text)
        if self.length - len(text) < MAX_CHARACTERS:
            self._texts.append(text)

    def alive(self, thoughts: int = 0, characters: int = 0) -> None:
        self.thoughts += max(thoughts, estimated_tokens(characters))

    def finished(self, reason: str) -> None: ...

    def usage(self, tokens_in: int | None, tokens_out: int | None) -> None:
        self.tokens = tokens_in, tokens_out

    def batch_read(self) -> float:
        return 0.0


class ShortRequests:
    """Makes short requests to one endpoint, and remembers which name of the limit each model accepts."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    async def ask(
        self, provider: ProviderClient, model: str, turns: Sequence[Turn], max_tokens: int, answer: ShortAnswer
    ) -> None:
        """Stream up to `max_tokens` tokens into `answer`. Raises ProviderError. May be cancelled."""
        names = sorted(LIMIT_NAMES, key=lambda name: name != self._known.get(model, LIMIT_NAMES[0]))
        for name in names:
            try:
                await provider.stream(model, turns, answer, **{name: max_tokens})
            except ProviderError as error:
                if error.outcome.code not in ("400", "422") or name == names[-1]:
                    raise
            else:
                self._known[model] = name
                return
