"""A generation that is stored in the database and not running yet."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from conversations.models import Conversation, Generation, Message
from conversations.providers.catalog.offered_model import Model
from conversations.providers.prompt_turn import Turn


@dataclass(frozen=True, slots=True)
class Started:
    """What a command has stored, and what is needed to run it.

    `messages`: the new ones, which follow the message `after`; the last of them is the answer. `turns`: what the
    provider is sent. `older`: the other versions of the first new message, oldest first. `when_leaving`: the person's
    choice at the time of the command.
    """

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
