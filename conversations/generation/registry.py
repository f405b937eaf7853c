"""The index of the generations that this process runs."""

import uuid
from collections.abc import Iterator

from .live_generation import LiveGeneration

MAX_ENDED = 4096
"""Ended generations that are remembered."""


class GenerationRegistry:
    """Finds a live generation by its id, its conversation or the command that asked for it. Lives on the event loop."""

    def __init__(self) -> None:
        self._by_id: dict[uuid.UUID, LiveGeneration] = {}
        self._by_conversation: dict[uuid.UUID, LiveGeneration] = {}
        self._by_command: dict[tuple[int, uuid.UUID], LiveGeneration] = {}
        self._ended: dict[uuid.UUID, None] = {}

    def add(self, live: LiveGeneration) -> None:
        """Index a generation under its three keys."""
        self._by_id[live.id] = live
        self._by_conversation[live.conversation] = live
        self._by_command[live.user, live.command] = live

    def remove(self, live: LiveGeneration) -> None:
        """Forget a generation; a newer one of the same conversation stays."""
        self._by_id.pop(live.id, None)
        if self._by_conversation.get(live.conversation) is live:
            del self._by_conversation[live.conversation]
        self._by_command.pop((live.user, live.command), None)

    def get(self, generation: uuid.UUID) -> LiveGeneration | None:
        """The live generation with this id; None if it does not run here."""
        return self._by_id.get(generation)

    def in_conversation(self, conversation: uuid.UUID) -> LiveGeneration | None:
        """The one that answers in this conversation, if it runs here."""
        return self._by_conversation.get(conversation)

    def for_command(self, user: int, command: uuid.UUID) -> LiveGeneration | None:
        """The one that this person's command started, if it runs here."""
        return self._by_command.get((user, command))

    def ids(self) -> set[uuid.UUID]:
        """A copy of the ids of all."""
        return set(self._by_id)

    def __iter__(self) -> Iterator[LiveGeneration]:
        """All of them, as they are now: they may be removed while the caller iterates."""
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def remember_ended(self, generation: uuid.UUID) -> None:
        """Note that the end of a generation of this process is saved."""
        self._ended[generation] = None
        if len(self._ended) > MAX_ENDED:
            del self._ended[next(iter(self._ended))]

    def has_ended(self, generation: uuid.UUID) -> bool:
        """Whether a generation of this process is over. One that is neither live nor over is about to begin."""
        return generation in self._ended
