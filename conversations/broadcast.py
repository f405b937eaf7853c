"""One streaming answer as its viewers see it: rendered, numbered, sent.

Fed by the generation that writes the text, or, where that runs in another process, by following its row. Lives on the
event loop and never waits, so a snapshot and the deltas behind it can have no hole and no overlap.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Protocol

from django.conf import settings

from . import frames, load
from .markdown import Growing

LOAD = 10
"""A flush that took one second of rendering is followed by `LOAD` seconds without one, so that rendering never takes
more than a tenth of the loop for one answer: under load there are fewer frames, never a backlog."""

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
    """`seq` counts the frames of this answer that were shown; the same for all viewers."""

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
        self.viewers: set[Viewer] = set()
        self._growing = Growing(text)
        self._growing.flush()
        self._trusted = trusted
        self._fresh = False
        self._timer: asyncio.TimerHandle | None = None
        self._ready_at = 0.0
        self._over = False

    def feed(self, text: str) -> float:
        """Take text; viewers have it within the flush interval, the first of a quiet time at once. Returns the seconds
        until they may have more: what arrives sooner would only wait."""
        self.add(text)
        wait = self._wait()
        if not self.viewers or self._over:
            return wait
        if wait <= 0:
            self.flush()
            return self._wait()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._ready_at + LATE, self._flush_by_timer)
        return wait

    def add(self, text: str) -> None:
        """Take text and leave it to a flush."""
        self._growing.feed(text)
        self._fresh = True

    def attach(self, viewer: Viewer) -> None:
        """Show everything so far, then what follows."""
        self.flush()
        self.viewers.add(viewer)
        html, tail = self._growing.finished, self._growing.tail
        self._offer(viewer, frames.snapshot(self.generation, self.message, self.seq, html, tail))

    def detach(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)

    def tell(self, frame: bytes) -> None:
        for viewer in self.viewers:
            viewer.push(frame)

    def flush(self) -> None:
        if not self._fresh or self._over:
            return
        self._forget_timer()
        if not self._trusted():  # this process may have lost the generation: nothing may be shown that is not its own
            self._later(settings.CHAT_SAVE_INTERVAL)
            return
        self._fresh = False
        clock = asyncio.get_running_loop().time
        began = clock()
        before = self._growing.tail
        html, tail = self._growing.flush()
        self._show(html, tail, before)
        now = clock()
        self._ready_at = now + max(load.interval(), (now - began) * LOAD, (len(html) + len(tail)) / PACE)

    def settle(self, *, certain: bool = False) -> None:
        """Show the last of the text, finished. Nothing is fed after this. `certain`: the end is saved, so this process
        has not lost the generation, even if it may have looked so before."""
        if self._over or not (certain or self._trusted()):
            return
        rest = self._growing.finish()
        self._fresh = False
        self._show(rest, "", "")
        self._close()

    def silence(self) -> None:
        """Show no more text."""
        self._close()

    @property
    def languages(self) -> set[str]:
        return {viewer.language for viewer in self.viewers}

    def end(self, status: str, reason: str, words: Callable[[str], Mapping[str, str]]) -> None:
        """Tell the one end, to each viewer in its language (`words` gives the parts for people). Nothing follows it."""
        self._close()
        self.seq += 1
        said = {
            language: frames.end(
                self.generation, self.message, self.seq, status=status, reason=reason, **words(language)
            )
            for language in self.languages
        }
        for viewer in self.viewers:
            viewer.push(said[viewer.language])
        self.viewers.clear()

    def _show(self, html: str, tail: str, before: str) -> None:
        self.seq += 1
        frame = frames.delta(self.generation, self.seq, html, tail, before)
        for viewer in list(self.viewers):
            self._offer(viewer, frame)

    def _offer(self, viewer: Viewer, frame: bytes) -> None:
        if not viewer.offer(frame, self.message):
            self.viewers.discard(viewer)

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
