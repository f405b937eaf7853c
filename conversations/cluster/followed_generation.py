"""One generation of another process, as the viewers of this process see it."""

from conversations.delivery.broadcast import Broadcast
from conversations.delivery.open_sockets import Socket
from conversations.rules.viewers import GracePeriods, Viewers

from .follower_sql import RemoteGeneration

WAIT_FOR_RENDERING = 0.1
"""Seconds that one poll waits for the rendering of an answer that has ended: other answers are polled in between."""

MAX_END_POLLS = 10
"""Polls that find an answer ended before its pages get the text as it was written, not rendered."""


class FollowedGeneration:
    """Lives on the event loop.

    `read`: characters of its text that were read. `viewers`: the pages of this process that keep its owner from ending
    it. `pages`: the pages that show it; `waiting`: those of them that get their snapshot with the next poll.
    """

    def __init__(self, remote: RemoteGeneration) -> None:
        self.generation = remote.generation
        self.message = remote.message
        self.broadcast = Broadcast(remote.generation, remote.message)
        self.viewers = Viewers(GracePeriods(0, 0))
        self.read = 0
        self.waiting: list[Socket] = []
        self.pages: set[Socket] = set()
        self._end_polls = 0

    def subscribe(self, page: Socket) -> None:
        """Show it to this page, beginning with the next poll."""
        self.pages.add(page)
        if page not in self.waiting:
            self.waiting.append(page)

    def unsubscribe(self, page: Socket) -> None:
        self.pages.discard(page)
        self.broadcast.unsubscribe(page)
        if page in self.waiting:
            self.waiting.remove(page)

    def feed(self, text: str) -> None:
        """Take new text, and send a snapshot to the pages that wait for one."""
        self.read += len(text)
        if text:
            self.broadcast.feed(text)
        for page in self.waiting:  # the snapshot contains the text that was saved when they came
            self.broadcast.subscribe(page)
        self.waiting.clear()

    async def finish_text(self) -> bool:
        """Show the rest of an ended answer. Return whether its pages have all of its text. May be cancelled."""
        self._end_polls += 1
        self.broadcast.finish_text()
        if self._end_polls > MAX_END_POLLS:
            await self.broadcast.wait_rendered(0)
        return await self.broadcast.wait_idle(WAIT_FOR_RENDERING)

    @property
    def needed(self) -> bool:
        """Whether a page of this process shows it or may come back to it."""
        return bool(self.broadcast.subscribers) or self.viewers.anybody

    def reload_pages(self) -> None:
        """Let all its pages load the conversation again."""
        _reload(self.pages, self)

    def reload_waiting(self) -> None:
        """Let the pages that wait for a snapshot load the conversation again."""
        _reload(self.waiting, self)


def _reload(pages: "set[Socket] | list[Socket]", followed: FollowedGeneration) -> None:
    for page in list(pages):
        page.catch_up(followed.message)
