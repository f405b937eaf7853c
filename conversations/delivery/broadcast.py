"""One streaming answer as its subscribers see it: rendered, numbered, sent.

Fed by the generation that writes the text, or, where that runs in another process, by following its row. Lives on the
event loop and never waits, so a snapshot and the deltas behind it can have no hole and no overlap.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from django.conf import settings

from conversations.protocol import events
from conversations.rendering import worker
from conversations.rendering.markdown.stream import MarkdownStream
from conversations.rendering.markdown.task import Result, Task, fallback, perform_if_quick

from . import flush_rate

LOAD = 10
"""A flush that took one second of rendering is followed by `LOAD` seconds without one, so that rendering never takes
more than a tenth of the loop for one answer: under load there are fewer frames, never a backlog."""

PAUSE = 1.0
"""Seconds that it is followed by at most: what takes long is not rendered on the loop."""

PATIENCE = 5.0
"""Seconds that an end waits for the rendering of its text; then pages get the text as it was written."""

PACE = 1_048_576
"""Characters a second of one answer that a page has to put on the screen at most. Of the tail it is sent what is new,
but it lays it out as a whole, and that may be a table of a thousand rows."""


LATE = 0.01
"""Seconds that a flush by the clock comes after its time: the provider is read then, and what that brings is to go with
what waits, not an interval later."""


class Viewer(Protocol):
    """A page that shows the answer, in its language."""

    language: str

    def offer(self, frame: bytes, message: uuid.UUID) -> bool:
        """Send a frame of this message's stream; False if the page is too far behind. It then catches up later."""

    def push(self, frame: bytes) -> None:
        """Send a frame that may not be dropped."""


class Broadcast:
    """`seq` counts the frames of this answer that were shown; the same for all subscribers."""

    def __init__(
        self,
        generation: uuid.UUID,
        message: uuid.UUID,
        text: str = "",
        trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.generation = generation
        self.message = message
        self.seq = 0
        self.subscribers: set[Viewer] = set()
        self._lacking: set[Viewer] = set()  # those that get a snapshot in place of the next delta
        self._growing = MarkdownStream(text)
        self._trusted = trusted
        self._fresh = bool(text)
        self._plain = False  # rendering failed: it shows as it was written
        self._rendering = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._timer: asyncio.TimerHandle | None = None
        self._ready_at = 0.0
        self._last = False  # nothing more is fed
        self._certain = False  # that this process has not lost the generation
        self._over = False

    def feed(self, text: str) -> float:
        """Take text; subscribers have it within the flush interval, the first of a quiet time at once. Returns the
        seconds for which nothing more is wanted: until subscribers may have more, but never longer than an interval,
        because what waits unread at a stop is not kept."""
        self.add(text)
        wait = self._wait()
        if self.subscribers and not self._over:
            if wait <= 0:
                self.flush()
                wait = self._wait()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_at(self._ready_at + LATE, self._flush_by_timer)
        return min(wait, flush_rate.interval()) or flush_rate.interval()

    def add(self, text: str) -> None:
        """Take text and leave it to a flush."""
        self._growing.feed(text)
        self._fresh = True

    def attach(self, viewer: Viewer) -> None:
        """Show everything so far, as soon as that is rendered, then what follows."""
        self.flush()
        self.subscribers.add(viewer)
        if self._rendering and not self._over:
            self._lacking.add(viewer)
        else:
            self._offer(viewer, self._snapshot())

    def detach(self, viewer: Viewer) -> None:
        self.subscribers.discard(viewer)
        self._lacking.discard(viewer)

    def tell(self, frame: bytes) -> None:
        for viewer in self.subscribers:
            viewer.push(frame)

    def flush(self) -> None:
        """Show what is new: at once if that is quick, else when it has been rendered elsewhere."""
        if not self._fresh or self._over or self._rendering:
            return
        self._forget_timer()
        if not self._may_show():
            self._later(settings.CHAT_SAVE_INTERVAL)
            return
        self._fresh = False
        began = asyncio.get_running_loop().time()
        work = self._growing.task(last=self._last)
        if (step := fallback(work) if self._plain else perform_if_quick(work)) is not None:
            self._rendered(step, began)
            return
        self._rendering = True
        self._idle.clear()
        worker.submit_from_loop(work, lambda step: self._rendered_elsewhere(work, step, began))

    def settle(self, *, certain: bool = False) -> None:
        """Show the last of the text, finished, to whoever watches. Nothing is fed after this. `certain`: the end is
        saved, so this process has not lost the generation, even if it may have looked so before."""
        self._certain = self._certain or certain
        if self._over or not self._may_show():
            return
        if not self._last:
            self._last = self._fresh = True
        if self.subscribers:
            self.flush()

    async def idle(self, patience: float) -> bool:
        """Whether nothing is being rendered, after so many seconds at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._rendering:
                    await self._idle.wait()
        return not self._rendering

    async def shown(self, patience: float = PATIENCE) -> None:
        """Return when whoever watches has what was to be shown; after so many seconds at the latest, and then they
        have the text as it was written."""
        if not await self.idle(patience):
            self._rendering, self._fresh, self._plain = False, False, True
            self._rendered(fallback(self._growing.task(last=self._last)), asyncio.get_running_loop().time())
            self._idle.set()

    async def so_far(self) -> str:
        """The HTML of the answer so far."""
        self.flush()
        await self.shown()
        return self._growing.whole()

    @property
    def html(self) -> str | None:
        """The HTML of the whole answer, if it was rendered to its end."""
        done = self._last and not (self._fresh or self._rendering or self._plain)
        return self._growing.finished if done else None

    def silence(self) -> None:
        """Show no more text."""
        self._close()

    @property
    def languages(self) -> set[str]:
        return {viewer.language for viewer in self.subscribers}

    def end(self, status: str, reason: str, words: Callable[[str], Mapping[str, str]]) -> None:
        """Tell the one end, to each viewer in its language (`words` gives the parts for people). Nothing follows it."""
        self._close()
        self.seq += 1
        said = {
            language: events.end(
                self.generation, self.message, self.seq, status=status, reason=reason, **words(language)
            )
            for language in self.languages
        }
        for viewer in self.subscribers:
            viewer.push(said[viewer.language])
        self.subscribers.clear()

    def _may_show(self) -> bool:
        """This process may have lost the generation: nothing may be shown then that is not its own."""
        return self._certain or self._trusted()

    def _rendered_elsewhere(self, work: Task, step: Result | None, began: float) -> None:
        if not self._rendering:  # the end did not wait for it
            return
        self._rendering = False
        if not self._may_show():
            self._fresh = True
            self._later(settings.CHAT_SAVE_INTERVAL)
        elif not self._over:
            self._plain = step is None
            self._rendered(step or fallback(work), began)
            if self._last:
                self.flush()
            elif self._fresh:
                self._later(self._wait())
        if not self._rendering:
            self._idle.set()

    def _rendered(self, step: Result, began: float) -> None:
        before = self._growing.tail
        html, tail = self._growing.apply(step)
        self._show(html, tail, before)
        now = asyncio.get_running_loop().time()
        pause = min((now - began) * LOAD, PAUSE)
        self._ready_at = now + max(flush_rate.interval(), pause, (len(html) + len(tail)) / PACE)

    def _show(self, html: str, tail: str, before: str) -> None:
        self.seq += 1
        lacking, self._lacking = self._lacking, set()
        if self.subscribers - lacking:
            frame = events.delta(self.generation, self.seq, html, tail, before)
            for viewer in self.subscribers - lacking:
                self._offer(viewer, frame)
        if lacking:
            frame = self._snapshot()
            for viewer in lacking:
                self._offer(viewer, frame)

    def _snapshot(self) -> bytes:
        return events.snapshot(self.generation, self.message, self.seq, self._growing.finished, self._growing.tail)

    def _offer(self, viewer: Viewer, frame: bytes) -> None:
        if not viewer.offer(frame, self.message):
            self.subscribers.discard(viewer)

    def _wait(self) -> float:
        return max(0.0, self._ready_at - asyncio.get_running_loop().time())

    def _later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._flush_by_timer)

    def _flush_by_timer(self) -> None:
        self._timer = None
        self.flush()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._over = True
        self._forget_timer()
