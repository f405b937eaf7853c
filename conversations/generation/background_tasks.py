"""Tasks that outlive the socket or the command that began them."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from conversations.storage.db_threads import UNAVAILABLE

logger = logging.getLogger(__name__)


class BackgroundTasks:
    """Holds strong references to its tasks, because asyncio holds only weak ones. Lives on the event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._must_finish: set[asyncio.Task[Any]] = set()

    def spawn(
        self, coroutine: Coroutine[Any, Any, Any], name: str | None = None, *, must_finish: bool = False
    ) -> asyncio.Task[Any]:
        """Run a coroutine to its end in a task of its own, whatever happens to the caller. A drain waits for tasks that
        `must_finish`. Exceptions are logged."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        if must_finish:
            self._must_finish.add(task)
        task.add_done_callback(self._done)
        return task

    @property
    def unfinished(self) -> set[asyncio.Task[Any]]:
        """The tasks that a drain has to wait for."""
        return set(self._must_finish)

    def cancel(self) -> None:
        """Cancel all tasks. Returns at once."""
        for task in list(self._tasks):
            task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._must_finish.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, UNAVAILABLE):
            logger.warning("a background task gave up: %s", type(error).__name__)
        elif error is not None:
            logger.error("a background task failed: %s", type(error).__name__, exc_info=error)
