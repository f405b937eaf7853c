"""One streaming answer as its viewers see it: rendered, numbered, sent.

Fed by the generation that writes the text, or, where that runs in another process, by following its row. Lives on the
event loop and never waits, so a snapshot and the deltas behind it can have no hole and no overlap.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Protocol

from django.conf import settings

from . import frames, load
from .markdown import Growing

LOAD = 10
"""A flush that took one second of rendering is followed by `LOAD` seconds without one, so that rendering never takes
more than a tenth of the loop for one answer: under load there are fewer frames, never a backlog."""

PACE = 131_072
"""Characters a second that one answer sends to a page at most. The tail is sent whole each time, and may be a table of
a thousand rows; half of the limit of unread bytes, so that a page that acknowledges once a second keeps up."""


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
        self._growing.feed(text)
        self._fresh = True
        if self._timer is not None or not self.viewers or self._over:
            return self._wait()
        if self._wait() <= 0:
            self.flush()
        else:
            self._timer = asyncio.get_running_loop().call_at(self._ready_at, self._flush_by_timer)
        return self._wait()

    def attach(self, viewer: Viewer) -> None:
        """Show everything so far, then what follows."""
        self.flush()
        self.viewers.add(viewer)
        self._offer(viewer, frames.snapshot(self.generation, self.message, self.seq, self._growing.whole()))

    def join(self, viewer: Viewer) -> None:
        """Like `attach`, for a page that already shows the answer as it stands."""
        self.viewers.add(viewer)

    def detach(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)

    def whole(self) -> str:
        """HTML of the text so far, as a page that shows it has it."""
        self.flush()
        return self._growing.whole()

    def tell(self, frame: bytes) -> None:
        for viewer in self.viewers:
            viewer.push(frame)

    def flush(self) -> None:
        if not self._fresh or self._over:
            return
        if not self._trusted():  # this process may have lost the generation: nothing may be shown that is not its own
            self._later(settings.CHAT_SAVE_INTERVAL)
            return
        self._fresh = False
        began = time.perf_counter()
        html, tail = self._growing.flush()
        self._show(html, tail)
        spent = time.perf_counter() - began
        pause = max(load.interval(), spent * LOAD, (len(html) + len(tail)) / PACE)
        self._ready_at = asyncio.get_running_loop().time() + pause

    def settle(self, *, certain: bool = False) -> None:
        """Show the last of the text, finished. Nothing is fed after this. `certain`: the end is saved, so this process
        has not lost the generation, even if it may have looked so before."""
        if self._over or not (certain or self._trusted()):
            return
        rest = self._growing.finish()
        self._fresh = False
        self._show(rest, "")
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

    def _show(self, html: str, tail: str) -> None:
        self.seq += 1
        frame = frames.delta(self.generation, self.seq, html, tail)
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

    def _close(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
