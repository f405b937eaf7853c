"""A generation that stands in the database and waits to be run."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from conversations.models import Conversation, Generation, Message
from conversations.providers.catalog.offered_model import Model
from conversations.providers.prompt_turn import Turn


@dataclass(frozen=True, slots=True)
class Started:
    """A generation that stands in the database and waits to be run. `messages`: new behind `after`. `older`: versions
    beside the first of them, oldest first. `when_leaving`: the choice as it was when it was asked for."""

    generation: Generation
    conversation: Conversation
    messages: list[Message]
    after: uuid.UUID | None
    turns: list[Turn]
    model: Model
    older: Sequence[uuid.UUID] = ()
    when_leaving: str = ""

    @property
    def answer(self) -> Message:
        return self.messages[-1]

    def versions(self, message: Message) -> list[uuid.UUID]:
        """All versions of one of the messages, oldest first."""
        return [*(self.older if message is self.messages[0] else ()), message.pk]
