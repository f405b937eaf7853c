"""Shows all pages of a person which of their conversations is being answered, and its title."""

import uuid

from conversations.delivery.open_sockets import Sockets
from conversations.protocol import events

from .live_generation import LiveGeneration
from .registry import GenerationRegistry


class Activity:
    """Sends `activity` events to the pages of this process. Lives on the event loop; methods never wait."""

    def __init__(self, live: GenerationRegistry, sockets: Sockets) -> None:
        self._live = live
        self._sockets = sockets

    def started(self, live: LiveGeneration) -> None:
        self._send(live.user, live.conversation, live.id, live.title)

    def ended(self, live: LiveGeneration) -> None:
        self._send(live.user, live.conversation, None, live.title)

    def conversation_changed(self, user: int, conversation: uuid.UUID, title: str) -> None:
        """Send the event for a conversation that was renamed, pinned or the like. `user`: its owner."""
        live = self._live.in_conversation(conversation)
        if live is not None:
            live.title = title
        self._send(user, conversation, live.id if live is not None else None, title)

    def _send(self, user: int, conversation: uuid.UUID, generation: uuid.UUID | None, title: str) -> None:
        event = events.activity(conversation, generation, title)
        for socket in self._sockets.of_user(user):
            socket.push(event)
