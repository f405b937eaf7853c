"""Carries out one page's `watch` commands one at a time, because each costs a query and perhaps megabytes."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Protocol

from conversations.generation.supervisor import supervisor
from conversations.protocol.commands import Watch


class Page(Protocol):
    """What the queue needs from a socket."""

    conversation: uuid.UUID | None

    def next_turn(self) -> int: ...
    def has_room(self) -> bool:
        """Whether the page has read enough to be shown a conversation; if not, it calls `resume` once it has."""


class WatchQueue:
    """Only the newest `watch` waits; an older one is dropped, and its result not shown. Methods never wait."""

    def __init__(self, page: Page, show: Callable[[Watch], Awaitable[None]]) -> None:
        self._page = page
        self._show = show
        self._waiting: Watch | None = None
        self._catch_up = False
        self._message: uuid.UUID | None = None
        self._task: asyncio.Task[None] | None = None

    def put(self, command: Watch) -> None:
        """Show this conversation, as soon as the running `watch` is done."""
        self._waiting = command
        self._page.next_turn()
        self.resume()

    def catch_up(self, message: uuid.UUID | None) -> None:
        """Show the conversation on screen anew. `message`: the streaming message that the page has, if any."""
        self._catch_up, self._message = True, message
        self.resume()

    def resume(self) -> None:
        """Start on the waiting `watch`, unless one is being carried out."""
        if self._task is None or self._task.done():
            self._task = supervisor.spawn(self._work())

    async def _work(self) -> None:
        while (self._waiting is not None or self._catch_up) and self._page.has_room():
            await self._show(self._next())

    def _next(self) -> Watch:
        """A `watch` from the page also brings what it has missed, so it replaces catching up."""
        watch, message = self._waiting, self._message
        self._waiting, self._catch_up, self._message = None, False, None
        if watch is not None:
            return watch
        return Watch(conversation=self._page.conversation, head=message, status="streaming" if message else None)
