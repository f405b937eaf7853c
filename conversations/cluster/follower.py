"""Shows generations that run in other processes, by following their rows.

One query for all that this process's pages watch, every `POLL` seconds or when the notifier rings. Their owner's tokens
never travel between processes; only the saved text does, through PostgreSQL.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import connection

from conversations.delivery import end_notice
from conversations.delivery.broadcast import Broadcast
from conversations.delivery.sockets import Socket
from conversations.rules.status import EndReason, Status
from conversations.storage.db_threads import UNAVAILABLE, in_database

from . import presence

logger = logging.getLogger(__name__)

POLL = 0.5

MOMENT = 0.1
"""Seconds that the look at one answer may wait for its rendering."""

LOOKS = 10
"""Looks at an answer that has ended until its pages get the text as it was written."""


@dataclass(frozen=True, slots=True)
class Row:
    """How a generation stands; `text` is what stands behind the characters that were seen."""

    generation: uuid.UUID
    status: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A generation that another process began in a conversation on somebody's screen."""

    generation: uuid.UUID
    message: uuid.UUID
    conversation: uuid.UUID


class Follower:
    """One generation of another process, as this process's viewers see it."""

    def __init__(self, generation: uuid.UUID, message: uuid.UUID, conversation: uuid.UUID) -> None:
        self.generation = generation
        self.conversation = conversation
        self.broadcast = Broadcast(generation, message)
        self.seen = 0
        self.waiting: list[Socket] = []
        self.pages: set[Socket] = set()
        self._looks_at_end = 0

    def show(self, page: Socket) -> None:
        """Its snapshot comes with the next look."""
        self.pages.add(page)
        if page not in self.waiting:
            self.waiting.append(page)

    def detach(self, page: Socket) -> None:
        self.pages.discard(page)
        self.broadcast.detach(page)
        if page in self.waiting:
            self.waiting.remove(page)

    def take(self, text: str) -> None:
        self.seen += len(text)
        if text:
            self.broadcast.feed(text)
        for viewer in self.waiting:  # their snapshot has the text that was there when they came
            self.broadcast.attach(viewer)
        self.waiting.clear()

    async def rendered(self) -> bool:
        """Whether its pages have the last of the text. Waits for a moment only: others are looked at meanwhile."""
        self._looks_at_end += 1
        self.broadcast.settle()
        if self._looks_at_end > LOOKS:
            await self.broadcast.shown(0)
        return await self.broadcast.idle(MOMENT)


class Followers:
    """Polls for all followers of the process. `watched` gives the conversations on its pages' screens."""

    def __init__(
        self,
        process: uuid.UUID,
        watched: Callable[[], Iterable[uuid.UUID]],
        attended: Callable[[uuid.UUID], bool],
        on_begun: Callable[[Begun], None],
        on_over: Callable[[uuid.UUID], None],
    ) -> None:
        self._process = process
        self._watched = watched
        self._attended = attended
        self._on_begun = on_begun
        self._on_over = on_over
        self._followers: dict[uuid.UUID, Follower] = {}
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="following")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def __contains__(self, generation: uuid.UUID) -> bool:
        return generation in self._followers

    def follow(self, begun: Begun, page: Socket) -> None:
        """Show this generation to this page."""
        follower = self._followers.get(begun.generation)
        if follower is None:
            follower = Follower(begun.generation, begun.message, begun.conversation)
            self._followers[begun.generation] = follower
        follower.show(page)
        self.ring()

    def detach(self, page: Socket) -> None:
        for follower in self._followers.values():
            follower.detach(page)

    def ring(self) -> None:
        """Look now."""
        self._rung.set()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._rung.wait()
            self._rung.clear()
            try:
                await self._look()
            except UNAVAILABLE as error:  # the next look may find it
                logger.info("following: %s", type(error).__name__)
                await asyncio.sleep(POLL)
            except Exception:  # without these looks, owners would take all pages of this process for gone
                logger.exception("following failed")
                await asyncio.sleep(POLL)

    async def _look(self) -> None:
        watched = list(self._watched())
        if not watched and not self._followers:
            return
        seen = {key: follower.seen for key, follower in self._followers.items()}
        shown = [key for key in seen if self._attended(key)]
        rows, begun = await in_database(_read, self._process, seen, shown, watched)
        found = {row.generation: row for row in rows}
        for key in seen:
            await self._take_alone(key, found.get(key))
        for one in begun:
            if one.generation not in self._followers:
                self._on_begun(one)

    async def _take_alone(self, key: uuid.UUID, row: Row | None) -> None:
        """One that cannot be shown keeps nobody from seeing the others. Its pages look at it anew, in a while."""
        try:
            await self._take(key, row)
        except Exception:
            logger.exception("generation %s cannot be followed", key)
            if key in self._followers:
                follower = self._forget(key)
                asyncio.get_running_loop().call_later(POLL, _look_again, list(follower.pages), follower)

    async def _take(self, key: uuid.UUID, row: Row | None) -> None:
        follower = self._followers.get(key)
        if follower is None:
            return
        if row is None:
            row = Row(key, Status.INTERRUPTED.value, EndReason.DELETED.value, "")
        follower.take(row.text)
        if row.status != Status.STREAMING:
            if not await follower.rendered():  # the next look finds it ended, too
                return
            languages = follower.broadcast.languages
            words = await end_notice.stored_words(key, row.status, row.reason, row.text, languages)
            self._forget(key)
            follower.broadcast.end(row.status, row.reason, words)
            _look_again(follower.waiting, follower)  # they came while the end was read
        elif not follower.broadcast.subscribers and not self._attended(key):
            self._forget(key)

    def _forget(self, key: uuid.UUID) -> Follower:
        follower = self._followers.pop(key)
        self._on_over(key)
        return follower


def _look_again(pages: Iterable[Socket], follower: Follower) -> None:
    for page in pages:
        page.catch_up(follower.broadcast.message)


def _read(
    process: uuid.UUID, seen: dict[uuid.UUID, int], shown: Sequence[uuid.UUID], watched: Sequence[uuid.UUID]
) -> tuple[list[Row], list[Begun]]:
    if shown:
        presence.shown(shown, process)
    rows: list[Row] = []
    begun: list[Begun] = []
    with connection.cursor() as cursor:
        if seen:
            cursor.execute(
                """
                SELECT g.id, g.status, g.end_reason, substr(m.content || COALESCE(
                    (SELECT string_agg(p.text, '' ORDER BY p.start) FROM conversations_piece p
                     WHERE p.generation_id = g.id AND g.status = 'streaming'), ''), f.seen + 1)
                FROM unnest(%s::uuid[], %s::int[]) AS f(id, seen)
                JOIN conversations_generation g ON g.id = f.id JOIN conversations_message m ON m.id = g.message_id
                """,
                [list(seen), list(seen.values())],
            )
            rows = [Row(*row) for row in cursor.fetchall()]
        if watched:
            cursor.execute(
                """
                SELECT id, message_id, conversation_id FROM conversations_generation
                WHERE status = 'streaming' AND conversation_id = ANY(%s) AND owner_id <> %s
                """,
                [list(watched), process],
            )
            begun = [Begun(*row) for row in cursor.fetchall()]
    return rows, begun
