"""Notifies other processes that something in the database has changed.

A notification is only a hint: channel layers lose messages by design. Its receiver reads the database, and a poll finds
what a lost notification would have said. Without a layer (one process, or several without Redis) there are only polls.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

GROUP = "processes"
"""The group of the channel layer that all processes belong to."""

SEND_TIMEOUT = 2.0
"""Seconds that sending one notification may take."""

RETRY_INTERVAL = 1.0
"""Seconds between two attempts to reach a channel layer that is unavailable."""

Notification = dict[str, Any]


class Kind(StrEnum):
    """What has changed. The values travel between processes, whose versions may differ."""

    STOP = "stop"
    ROWS_CHANGED = "moved"
    CATALOG_CHANGED = "catalog"
    SESSION_ENDED = "session"
    CONVERSATION_CHANGED = "changed"
    ACCOUNT_CHANGED = "person"


class Notifier:
    """Sends to all other processes, and calls `on_notification` with what they send. Lives on the event loop."""

    def __init__(self, on_notification: Callable[[Notification], None]) -> None:
        self._on_notification = on_notification
        self._layer = get_channel_layer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None
        self._channel = ""

    async def start(self) -> None:
        """Start listening, if there is a channel layer. Does not wait for the connection."""
        if self._layer is not None:
            self._listener = asyncio.get_running_loop().create_task(self._listen(), name="notifier")

    def notify(self, kind: Kind, **fields: str) -> None:
        """Notify all other processes. Never waits and never fails."""
        if self._layer is None:
            return
        message = {"type": "notification", "kind": kind.value, **fields}
        task = asyncio.get_running_loop().create_task(self._send(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop listening, and drop notifications that are not sent yet. Must not be cancelled."""
        tasks = [task for task in (self._listener, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._layer is not None and hasattr(self._layer, "close_pools"):
            await self._layer.close_pools()

    async def _send(self, message: Notification) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._layer.group_send(GROUP, {**message, "from": self._channel})
        except Exception as error:  # noqa: BLE001  whatever the layer's client raises: the poll behind it takes over
            logger.debug("notification not delivered: %s", type(error).__name__)

    async def _listen(self) -> None:
        """Receive until cancelled."""
        while True:
            try:
                self._channel = await self._layer.new_channel("process!")
                await self._layer.group_add(GROUP, self._channel)
                while True:
                    message = await self._layer.receive(self._channel)
                    if message.get("from") != self._channel:
                        self._on_notification(message)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  whatever its client raises: the polls go on without it
                logger.warning("the channel layer is unavailable: %s", type(error).__name__)
                await asyncio.sleep(RETRY_INTERVAL)
