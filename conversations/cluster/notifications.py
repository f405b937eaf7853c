"""Rings other processes: "look at that row". Only a hint; whoever is rung reads the database.

Channel layers lose messages by design, so every ring has a poll behind it, and without a layer (one process, or several
without Redis) the polls do it alone.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

GROUP = "processes"
PATIENCE = 2.0
"""Seconds a ring may take before it is given up."""

Notification = dict[str, Any]


class Notifier:
    """`ring` never waits and never fails."""

    def __init__(self, on_notification: Callable[[Notification], None]) -> None:
        self._on_ring = on_notification
        self._layer = get_channel_layer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None
        self._channel = ""

    async def start(self) -> None:
        if self._layer is not None:
            self._listener = asyncio.get_running_loop().create_task(self._listen(), name="notifier")

    def notify(self, kind: str, **fields: str) -> None:
        if self._layer is None:
            return
        task = asyncio.get_running_loop().create_task(self._send({"type": "ring", "kind": kind, **fields}))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        tasks = [task for task in (self._listener, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._layer is not None and hasattr(self._layer, "close_pools"):
            await self._layer.close_pools()

    async def _send(self, message: Notification) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._layer.group_send(GROUP, {**message, "from": self._channel})
        except Exception as error:  # noqa: BLE001  whatever the layer's client raises: the poll behind the ring takes over
            logger.debug("ring not delivered: %s", type(error).__name__)

    async def _listen(self) -> None:
        """Hear rings until cancelled; a layer that is away is tried again every second."""
        while True:
            try:
                self._channel = await self._layer.new_channel("process!")
                await self._layer.group_add(GROUP, self._channel)
                while True:
                    message = await self._layer.receive(self._channel)
                    if message.get("from") != self._channel:
                        self._on_ring(message)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  whatever its client raises: the polls go on without it
                logger.warning("the channel layer is away: %s", type(error).__name__)
                await asyncio.sleep(1)
