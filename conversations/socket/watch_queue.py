"""What one page asks to be shown, one thing at a time: a look at a conversation costs a query and maybe megabytes."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Protocol

from conversations.generation.supervisor import supervisor
from conversations.protocol.commands import Watch


class Page(Protocol):
    """What this needs to know of a socket."""

    conversation: uuid.UUID | None

    def next_turn(self) -> int: ...
    def has_room(self) -> bool:
        """Whether the page has read enough to be shown a conversation; if not, `Turns.go_on` is called when it has."""


class WatchQueue:
    """Of what waits, the page's newest wish counts. What is at work when another wish comes is outdated, and the page
    is not shown it. Methods never wait."""

    def __init__(self, page: Page, show: Callable[[Watch], Awaitable[None]]) -> None:
        self._page = page
        self._show = show
        self._asked: Watch | None = None
        self._behind = False
        self._message: uuid.UUID | None = None
        self._task: asyncio.Task[None] | None = None

    def ask(self, command: Watch) -> None:
        """The page goes to this conversation."""
        self._asked = command
        self._page.next_turn()
        self.go_on()

    def catch_up(self, message: uuid.UUID | None) -> None:
        """The page has to see its conversation anew; `message`: the streaming one that it has last."""
        self._behind, self._message = True, message
        self.go_on()

    def go_on(self) -> None:
        """Begin with what waits, unless something is at work, which is followed by it."""
        if self._task is None or self._task.done():
            self._task = supervisor.spawn(self._work())

    async def _work(self) -> None:
        while (self._asked is not None or self._behind) and self._page.has_room():
            await self._show(self._next())

    def _next(self) -> Watch:
        """A wish of the page also brings what it has missed."""
        asked, message = self._asked, self._message
        self._asked, self._behind, self._message = None, False, None
        if asked is not None:
            return asked
        return Watch(conversation=self._page.conversation, head=message, status="streaming" if message else None)
