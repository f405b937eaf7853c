"""Sends the frames of one socket in order, within its send window."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from conversations.rules.send_window import SendWindow


class FrameWriter:
    """Lives on the event loop; methods never wait. `closed`: only frames that are already queued are still sent."""

    def __init__(self, window: SendWindow) -> None:
        """`window` counts the frames."""
        self.closed = False
        self._window = window
        self._queue: deque[bytes | int] = deque()
        self._wake = asyncio.Event()
        self._send_now: Callable[[bytes], None] | None = None

    def start(
        self, send: Callable[[dict[str, Any]], Awaitable[None]], send_now: Callable[[bytes], None] | None
    ) -> "asyncio.Task[None]":
        """Return the task that sends queued frames through `send`; the caller cancels it. `send_now` bypasses the
        queue, if the server has it."""
        self._send_now = send_now
        return asyncio.get_running_loop().create_task(self._write(send))

    def push(self, frame: bytes) -> bool:
        """Send a frame. Return False, and send nothing, if it would exceed what may be unread. Does nothing once
        closed."""
        if self.closed:
            return True
        if self._window.overflows(len(frame)):
            return False
        self._window.record(len(frame))
        if self._send_now is not None:
            self._send_now(frame)
        else:
            self._put(frame)
        return True

    def close(self, code: int) -> None:
        """Close the socket with this code, after everything that is queued. Does nothing once closed."""
        if not self.closed:
            self.closed = True
            self._put(code)

    def _put(self, out: bytes | int) -> None:
        self._queue.append(out)
        self._wake.set()

    async def _write(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                out = self._queue.popleft()
                if isinstance(out, int):
                    await send({"type": "websocket.close", "code": out})
                    return
                await send({"type": "websocket.send", "text": out.decode()})
