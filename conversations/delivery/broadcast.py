"""One streaming answer as its subscribers see it: rendered, numbered, sent.

Fed by the generation that writes the text or, if that runs in another process, from its row. Lives on the event loop
and never waits, so there is neither a gap nor an overlap between a snapshot and the deltas that follow it.
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

from . import flush_interval

PAUSE_FACTOR = 10
"""A flush that took one second to render is followed by this many seconds without one. So rendering one answer never
takes more than a tenth of the event loop: under load there are fewer frames, never a backlog."""

MAX_PAUSE = 1.0
"""Upper limit of that pause, in seconds: what takes long is rendered in another process."""

RENDER_TIMEOUT = 5.0
"""Seconds that an end waits for the rendering of its text. After that pages get the text as it was written."""

MAX_LAYOUT_RATE = 1_048_576
"""Characters of one answer that a page has to lay out per second. It is sent only the new part of the tail, but lays
out the whole tail, which may be a table of a thousand rows."""

TIMER_DELAY = 0.01
"""Seconds to wait after the interval before a timed flush. The provider is read when the interval ends, so the text of
that read goes out with the same flush and not with the next."""


class Viewer(Protocol):
    """A page that shows the answer. `language`: the code of the language that it is shown in."""

    language: str

    def offer(self, frame: bytes, message: uuid.UUID) -> bool:
        """Send a frame of this message's stream. False if the page has too many unread frames: it catches up later."""

    def push(self, frame: bytes) -> None:
        """Send a frame that must not be dropped."""


class Broadcast:
    """`seq` counts the frames of this answer; it is the same for all subscribers.

    `text`: what the answer begins with. `trusted`: whether this process may still own the generation; while it may not,
    nothing is shown.
    """

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
        self._need_snapshot: set[Viewer] = set()  # those that get a snapshot instead of the next delta
        self._stream = MarkdownStream(text)
        self._trusted = trusted
        self._fresh = bool(text)
        self._plain = False  # rendering failed: the text is shown as it was written
        self._rendering = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._timer: asyncio.TimerHandle | None = None
        self._ready_at = 0.0
        self._last = False  # nothing more is fed
        self._saved = False  # the end is saved, so this process has not lost the generation
        self._over = False

    def feed(self, text: str) -> float:
        """Take text. Subscribers get it within the flush interval, or at once after a quiet time. Returns how many
        seconds to read nothing: until the next flush, but never longer than an interval, because text that is still
        unread when somebody stops is lost."""
        self.add(text)
        wait = self._until_next_flush()
        if self.subscribers and not self._over:
            if wait <= 0:
                self.flush()
                wait = self._until_next_flush()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_at(self._ready_at + TIMER_DELAY, self._flush_by_timer)
        return min(wait, flush_interval.current()) or flush_interval.current()

    def add(self, text: str) -> None:
        """Take text without showing it: the next flush does."""
        self._stream.feed(text)
        self._fresh = True

    def subscribe(self, viewer: Viewer) -> None:
        """Send a snapshot of the text so far, as soon as that is rendered, then the deltas that follow."""
        self.flush()
        self.subscribers.add(viewer)
        if self._rendering and not self._over:
            self._need_snapshot.add(viewer)
        else:
            self._offer(viewer, self._snapshot())

    def unsubscribe(self, viewer: Viewer) -> None:
        self.subscribers.discard(viewer)
        self._need_snapshot.discard(viewer)

    def push(self, frame: bytes) -> None:
        """Send a frame that must not be dropped to all subscribers."""
        for viewer in self.subscribers:
            viewer.push(frame)

    def flush(self) -> None:
        """Show what is new: at once if it renders quickly, else when another process has rendered it."""
        if not self._fresh or self._over or self._rendering:
            return
        self._cancel_timer()
        if not self._may_show():
            self._flush_later(settings.CHAT_SAVE_INTERVAL)
            return
        self._fresh = False
        began = asyncio.get_running_loop().time()
        task = self._stream.task(last=self._last)
        if (result := fallback(task) if self._plain else perform_if_quick(task)) is not None:
            self._show_result(result, began)
            return
        self._rendering = True
        self._idle.clear()
        worker.submit_from_loop(task, lambda result: self._worker_done(task, result, began))

    def finish_text(self, *, saved: bool = False) -> None:
        """The text is complete: show the rest of it. Nothing is fed after this. `saved`: the end is in the database, so
        this process has not lost the generation, whatever `trusted` says. May be called again."""
        self._saved = self._saved or saved
        if self._over or not self._may_show():
            return
        if not self._last:
            self._last = self._fresh = True
        if self.subscribers:
            self.flush()

    async def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing is being rendered. False if that takes longer than `timeout` seconds. May be cancelled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._rendering:
                    await self._idle.wait()
        return not self._rendering

    async def wait_rendered(self, timeout: float = RENDER_TIMEOUT) -> None:
        """Wait until subscribers have been sent what was flushed. After `timeout` seconds they are sent the text as it
        was written. May be cancelled."""
        if not await self.wait_idle(timeout):
            self._rendering, self._fresh, self._plain = False, False, True
            self._show_result(fallback(self._stream.task(last=self._last)), asyncio.get_running_loop().time())
            self._idle.set()

    async def html_so_far(self) -> str:
        """Render the text so far and return its HTML. May be cancelled."""
        self.flush()
        await self.wait_rendered()
        return self._stream.whole()

    @property
    def html(self) -> str | None:
        """The HTML of the whole answer; None if it was not rendered to its end."""
        done = self._last and not (self._fresh or self._rendering or self._plain)
        return self._stream.finished if done else None

    def stop_showing(self) -> None:
        """Show no more text. Subscribers stay, and get the end."""
        self._over = True
        self._cancel_timer()

    @property
    def languages(self) -> set[str]:
        return {viewer.language for viewer in self.subscribers}

    def end(self, status: str, reason: str, texts: Callable[[str], Mapping[str, str]]) -> None:
        """Send the one end to all subscribers. Nothing follows it. `texts` returns the parts of the event for people,
        in a language."""
        self.stop_showing()
        self.seq += 1
        frames = {
            language: events.end(
                self.generation, self.message, self.seq, status=status, reason=reason, **texts(language)
            )
            for language in self.languages
        }
        for viewer in self.subscribers:
            viewer.push(frames[viewer.language])
        self.subscribers.clear()

    def _may_show(self) -> bool:
        """False while this process may have lost the generation: its text may then differ from the saved text."""
        return self._saved or self._trusted()

    def _worker_done(self, task: Task, result: Result | None, began: float) -> None:
        if not self._rendering:  # too late: the end did not wait for it
            return
        self._rendering = False
        if not self._may_show():
            self._fresh = True
            self._flush_later(settings.CHAT_SAVE_INTERVAL)
        elif not self._over:
            self._plain = result is None
            self._show_result(result or fallback(task), began)
            if self._last:
                self.flush()
            elif self._fresh:
                self._flush_later(self._until_next_flush())
        if not self._rendering:
            self._idle.set()

    def _show_result(self, result: Result, began: float) -> None:
        before = self._stream.tail
        html, tail = self._stream.apply(result)
        self._show(html, tail, before)
        now = asyncio.get_running_loop().time()
        pause = min((now - began) * PAUSE_FACTOR, MAX_PAUSE)
        layout = (len(html) + len(tail)) / MAX_LAYOUT_RATE
        self._ready_at = now + max(flush_interval.current(), pause, layout)

    def _show(self, html: str, tail: str, before: str) -> None:
        self.seq += 1
        need_snapshot, self._need_snapshot = self._need_snapshot, set()
        if self.subscribers - need_snapshot:
            frame = events.delta(self.generation, self.seq, html, tail, before)
            for viewer in self.subscribers - need_snapshot:
                self._offer(viewer, frame)
        if need_snapshot:
            frame = self._snapshot()
            for viewer in need_snapshot:
                self._offer(viewer, frame)

    def _snapshot(self) -> bytes:
        return events.snapshot(self.generation, self.message, self.seq, self._stream.finished, self._stream.tail)

    def _offer(self, viewer: Viewer, frame: bytes) -> None:
        if not viewer.offer(frame, self.message):
            self.subscribers.discard(viewer)

    def _until_next_flush(self) -> float:
        return max(0.0, self._ready_at - asyncio.get_running_loop().time())

    def _flush_later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._flush_by_timer)

    def _flush_by_timer(self) -> None:
        self._timer = None
        self.flush()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
