"""Follows generations that other processes run, so that this process can show them.

The owner's tokens never travel between processes: only the saved text does, through PostgreSQL. One poll reads
everything that this process's pages view.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from conversations.delivery import end_event
from conversations.delivery.open_sockets import Socket
from conversations.rules.status import EndReason, Status
from conversations.storage.db_threads import UNAVAILABLE, in_database

from . import follower_sql, presence
from .followed_generation import FollowedGeneration
from .follower_sql import RemoteGeneration, Row

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.5
"""Seconds between two polls. A notification is quicker."""


class Follower:
    """One per process; lives on the event loop. Only its `close` waits.

    `on_screen` returns the conversations on this process's pages in which another process may begin to answer;
    `on_started` is called with each generation that one has begun there, `on_ended` with the id of each that is no
    longer followed.
    """

    def __init__(
        self,
        process: uuid.UUID,
        on_screen: Callable[[], Iterable[uuid.UUID]],
        on_started: Callable[[RemoteGeneration], None],
        on_ended: Callable[[uuid.UUID], None],
    ) -> None:
        self._process = process
        self._on_screen = on_screen
        self._on_started = on_started
        self._on_ended = on_ended
        self._followed: dict[uuid.UUID, FollowedGeneration] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="follower")

    async def close(self) -> None:
        """Stop polling. Must not be cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def __contains__(self, generation: uuid.UUID) -> bool:
        return generation in self._followed

    # --- viewers -----------------------------------------------------------------------------------------------------

    def follow(self, remote: RemoteGeneration, page: Socket) -> None:
        """Show this generation to this page, which becomes a viewer."""
        followed = self._followed.get(remote.generation)
        if followed is None:
            followed = self._followed[remote.generation] = FollowedGeneration(remote)
        followed.viewers.arrive(page)
        followed.subscribe(page)
        self.poll_now()

    def unsubscribe(self, page: Socket) -> None:
        """Send this page no more frames of any generation. It remains a viewer."""
        for followed in self._followed.values():
            followed.unsubscribe(page)

    def leave(self, generation: uuid.UUID, page: Socket, cause: EndReason, now: float) -> bool:
        """Remove a viewer. Return True if it was the last one in this process: the owner then has to be notified."""
        followed = self._followed.get(generation)
        return followed is not None and followed.viewers.leave(page, cause, now)

    def come_back(self, generation: uuid.UUID, page: Socket) -> None:
        """Make a page that was lost a viewer again. Does nothing if the generation is no longer followed."""
        followed = self._followed.get(generation)
        if followed is not None:
            followed.viewers.arrive(page)
            self.poll_now()

    # --- polling -----------------------------------------------------------------------------------------------------

    def poll_now(self) -> None:
        self._wake.set()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_INTERVAL):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._poll()
            except UNAVAILABLE as error:  # the next poll may succeed
                logger.info("poll of other processes' generations: %s", type(error).__name__)
                await asyncio.sleep(POLL_INTERVAL)
            except Exception:  # without these polls, owners would assume that all pages of this process have gone
                logger.exception("poll of other processes' generations failed")
                await asyncio.sleep(POLL_INTERVAL)

    async def _poll(self) -> None:
        on_screen = list(self._on_screen())
        if not on_screen and not self._followed:
            return
        read = {key: followed.read for key, followed in self._followed.items()}
        viewed = [key for key, followed in self._followed.items() if followed.viewers.anybody]
        rows, streaming = await in_database(_query, self._process, read, viewed, on_screen)
        found = {row.generation: row for row in rows}
        for key in read:
            await self._apply_safely(key, found.get(key))
        for remote in streaming:
            if remote.generation not in self._followed:
                self._on_started(remote)

    async def _apply_safely(self, key: uuid.UUID, row: Row | None) -> None:
        """A generation that cannot be shown does not prevent the others from being shown. Its pages load it again
        later."""
        try:
            await self._apply(key, row)
        except Exception:
            logger.exception("generation %s cannot be followed", key)
            if key in self._followed:
                followed = self._forget(key)
                asyncio.get_running_loop().call_later(POLL_INTERVAL, followed.reload_pages)

    async def _apply(self, key: uuid.UUID, row: Row | None) -> None:
        followed = self._followed.get(key)
        if followed is None:
            return
        row = row or Row(key, Status.INTERRUPTED.value, EndReason.DELETED.value, "")
        followed.feed(row.text)
        if row.status != Status.STREAMING:
            await self._end(followed, row)
        elif not followed.needed:
            self._forget(key)

    async def _end(self, followed: FollowedGeneration, row: Row) -> None:
        if not await followed.finish_text():  # the next poll finds it ended, too
            return
        languages = followed.broadcast.languages
        texts = await end_event.load(row.generation, row.status, row.reason, row.text, languages)
        self._forget(row.generation)
        followed.broadcast.end(row.status, row.reason, texts)
        followed.reload_waiting()  # they came while the texts were loaded

    def _forget(self, key: uuid.UUID) -> FollowedGeneration:
        followed = self._followed.pop(key)
        self._on_ended(key)
        return followed


def _query(
    process: uuid.UUID, read: Mapping[uuid.UUID, int], viewed: Sequence[uuid.UUID], on_screen: Sequence[uuid.UUID]
) -> tuple[list[Row], list[RemoteGeneration]]:
    """On a database thread."""
    if viewed:
        presence.renew(viewed, process)
    return follower_sql.rows(read), follower_sql.streaming(on_screen, process)
