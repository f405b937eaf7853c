"""The live generations of this process: who asked, who is there, and how the process itself comes and goes.

Lives on the event loop and holds strong references to its tasks, because asyncio holds weak ones. `enter`, `leave`,
`lost` and `stop` never wait; what has to wait is a task of the supervisor's, which outlives the socket that caused it.
"""

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from django.conf import settings

from conversations.cluster.follower import POLL, Begun, Followers
from conversations.cluster.notifications import Notification, Notifier
from conversations.cluster.presence import SEEN, Look, gone, look
from conversations.delivery import flush_rate
from conversations.delivery.sockets import ELSEWHERE, Socket, Sockets
from conversations.models.ids import new_id
from conversations.people import sessions
from conversations.people.sessions import SignedIn
from conversations.protocol import events
from conversations.providers.client_pool import Providers
from conversations.providers.model_catalog import catalog
from conversations.providers.token_counter import tokenizer
from conversations.rendering import worker
from conversations.rules.status import EndReason, Outcome, known_reason
from conversations.rules.stop_request import StopRequest
from conversations.rules.viewers import GracePeriods, Viewers
from conversations.storage import reaper
from conversations.storage.db_threads import AWAY, in_database, limit
from conversations.storage.journal import Asked, Journal, Tick
from conversations.telemetry import metrics

from . import answer_rate
from .auto_titles import Titles
from .generation import LiveGeneration, Surroundings, unlaunched
from .started import Started

logger = logging.getLogger(__name__)


ASK = "ask"
"""Name of the tasks that carry out a command."""

GOODBYE = 1.0
"""Seconds of the drain that are kept for what comes after the last save."""

PULSE = 0.25
"""Seconds between two looks at the process's own state."""

LOOK = 0.3
"""Seconds that a look for other viewers may take before an answer without any here is ended."""

ORPHAN_TICKS = 20
"""Ticks after which a streaming row of this process that nothing here runs is ended; and between two attempts."""

REMEMBERED = 4096
"""Generations of this process that are known to have ended, so that nobody waits for them to begin."""


class Supervisor:
    """One per process: `supervisor`."""

    def __init__(self) -> None:
        self.process = new_id()
        self.stopping = False
        self.live: dict[uuid.UUID, LiveGeneration] = {}
        self.by_conversation: dict[uuid.UUID, LiveGeneration] = {}
        self.by_command: dict[tuple[int, uuid.UUID], LiveGeneration] = {}
        self.sockets = Sockets()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.followers = Followers(
            self.process, self._watched_here, self._attended, self._begun_elsewhere, self._over_elsewhere
        )
        self.notifier = Notifier(self._notified)
        self._followed: dict[uuid.UUID, Viewers] = {}
        self._ended: dict[uuid.UUID, None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._pulse_at = 0.0
        self._suspect_since: float | None = None
        self._orphans: dict[uuid.UUID, int] = {}

    # --- the process -------------------------------------------------------------------------------------------------

    async def start(self, periodic_tasks: "PeriodicTasks") -> None:
        """Ready to run generations when it returns. `periodic_tasks` gives what this process looks after again and
        again. Raises psycopg.Error, OSError."""
        self.loop = asyncio.get_running_loop()
        limit()
        self.providers = Providers()
        self.titles = Titles(self.providers, self.conversation_changed)
        self.journal = Journal(self.process, self.loop, self._ticked)
        await asyncio.to_thread(self.journal.start)
        await in_database(reaper.sweep, self.process, at_start=True)
        await catalog.start(self.providers)
        await self.notifier.start()
        self.followers.start()
        self._pulse_at = time.monotonic()
        self.loop.call_later(PULSE, self._pulse)
        for task in periodic_tasks(self):
            self.spawn(task)

    async def drain(self) -> None:
        """Refuse new work, cancel upstream, write, tell the pages. Returns within `CHAT_DRAIN_TIMEOUT` seconds."""
        self.stopping = True
        deadline = time.monotonic() + settings.CHAT_DRAIN_TIMEOUT - GOODBYE
        for live in list(self.live.values()):
            live.stop(EndReason.SERVER_SHUTDOWN)
        await self.titles.close()
        while (tasks := self._unfinished()) and time.monotonic() < deadline:
            await asyncio.wait(tasks, timeout=max(0.0, deadline - time.monotonic()))
        for socket in self.sockets.all():
            socket.close(1012)
        await self.followers.close()
        await self.notifier.close()
        for task in list(self._tasks):
            task.cancel()
        self.journal.close()
        await asyncio.to_thread(self.journal.join, max(0.1, deadline - time.monotonic()))
        await self.providers.close()
        await asyncio.to_thread(tokenizer.close)
        await asyncio.to_thread(worker.close)

    def _unfinished(self) -> list[asyncio.Task[Any]]:
        """What has to be saved before the process may go: generations, and commands that are about to make one."""
        running = [live.task for live in self.live.values() if live.task is not None]
        return running + [task for task in self._tasks if task.get_name() == ASK]

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str | None = None) -> asyncio.Task[Any]:
        """Run to the end, whatever becomes of the caller. A drain waits for those named `ASK`."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AWAY):
            logger.warning("a task was given up: %s", type(error).__name__)
        elif error is not None:
            logger.error("a task failed: %s", type(error).__name__, exc_info=error)

    def call(self, function: Callable[..., None], *args: object) -> None:
        """Call `function` on the event loop, from any thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function, *args)

    # --- generations -------------------------------------------------------------------------------------------------

    def launch(
        self, started: Started, user: int, command: uuid.UUID, *, stopped: StopRequest | None = None
    ) -> LiveGeneration:
        """Run a generation that stands in the database. `stopped`: who stopped it before it got here."""
        provider = self.providers.take(started.model.endpoint)
        try:
            around = Surroundings(self.journal, provider, self.trusted, self._resync, self._over)
            live = LiveGeneration(started, user, command, around)
        except Exception:
            self.providers.give_back(started.model.endpoint)
            raise
        self.live[live.id] = live
        self.by_conversation[live.conversation] = live
        self.by_command[user, command] = live
        if stopped:
            live.stop(EndReason.STOPPED, stopped)
        if self.stopping:
            live.stop(EndReason.SERVER_SHUTDOWN)
        live.start()
        self._tell_activity(live, live.id)
        return live

    def conversation_deleted(self, conversation: uuid.UUID) -> None:
        """End its answer if it is written here. Another process finds the conversation deleted at its next tick."""
        self.titles.cancel(conversation)
        live = self.by_conversation.get(conversation)
        if live is not None:
            live.stop(EndReason.DELETED, StopRequest.from_page(live.user))

    async def end_unlaunched(self, started: Started) -> None:
        """End a generation that stands in the database and that nothing here can run. Returns when that is saved."""
        await self.journal.end(unlaunched(started))
        self._remember(started.generation.pk)
        self.notifier.notify("moved")

    def has_ended(self, generation: uuid.UUID) -> bool:
        """Whether one that this process ran is over. One that does not run here and is not over is about to begin."""
        return generation in self._ended

    def _remember(self, generation: uuid.UUID) -> None:
        self._ended[generation] = None
        if len(self._ended) > REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def attend(self, live: LiveGeneration, socket: Socket) -> None:
        """This page is there for it; unless it has gone since, which only the caller does not know."""
        if socket in self.sockets:
            self._attend(live, socket)

    def left_at_once(self, live: LiveGeneration, socket: Socket) -> None:
        """The page that asked for it has gone already."""
        self._attend(live, socket)
        self._depart(socket, EndReason.LEFT)

    def _attend(self, live: LiveGeneration, socket: Socket) -> None:
        live.viewers.arrive(socket)
        live.sessions[socket.session] = socket.signed_in_by
        socket.attends.add(live.id)
        socket.send_window.touch(time.monotonic())  # the wait for acknowledgements begins now

    def attend_elsewhere(self, begun: Begun, socket: Socket) -> None:
        """Show a generation of another process on this socket, unless it has gone."""
        if socket not in self.sockets:
            return
        self._arrive_elsewhere(begun.generation, socket)
        socket.attends.add(begun.generation)
        socket.send_window.touch(time.monotonic())
        self.followers.follow(begun, socket)

    def _arrive_elsewhere(self, generation: uuid.UUID, socket: Socket) -> None:
        self._followed.setdefault(generation, Viewers(GracePeriods(0, 0))).arrive(socket)

    def _over(self, live: LiveGeneration) -> None:
        self.live.pop(live.id, None)
        if live.saved:
            self._remember(live.id)
        self.providers.give_back(live.endpoint)
        if self.by_conversation.get(live.conversation) is live:
            del self.by_conversation[live.conversation]
        self.by_command.pop((live.user, live.command), None)
        for socket in self.sockets.of_user(live.user):
            socket.attends.discard(live.id)
        self.notifier.notify("moved")
        self._tell_activity(live, None)
        if not self.stopping and (self.sockets.of_user(live.user) or live.started.when_leaving == "finish"):
            self.titles.begin(live, allowed=answer_rate.answers.take_title)

    def _tell_activity(self, live: LiveGeneration, generation: uuid.UUID | None) -> None:
        for socket in self.sockets.of_user(live.user):
            socket.push(events.activity(live.conversation, generation, live.title))

    def conversation_changed(self, user: int, conversation: uuid.UUID, title: str) -> None:
        """A person renamed one, pinned it or the like: their pages hear of it, those of other processes by the notifier
        or with the next activity."""
        self._tell_changed(user, conversation, title)
        self.notifier.notify("changed", id=str(conversation), user=str(user), title=title)

    def _tell_changed(self, user: int, conversation: uuid.UUID, title: str) -> None:
        live = self.by_conversation.get(conversation)
        if live is not None:
            live.title = title
        for socket in self.sockets.of_user(user):
            socket.push(events.activity(conversation, live.id if live is not None else None, title))

    def _resync(self, live: LiveGeneration) -> None:
        """Another process ended it: what the pages show may not be what was saved, so they get it anew."""
        live.broadcast.subscribers.clear()
        for socket in self.sockets.showing(live.conversation):
            socket.catch_up(live.message)

    # --- who is there ------------------------------------------------------------------------------------------------

    def leave(self, socket: Socket, cause: EndReason) -> None:
        """This socket is gone for good."""
        self.sockets.remove(socket)
        self.followers.detach(socket)
        for live in self.live.values():
            live.broadcast.detach(socket)
        if not self.sockets.of_user(socket.user_id):
            self.titles.cancel_of(socket.user_id)
        self._depart(socket, cause)

    def lost(self, socket: Socket) -> None:
        """This socket does not answer. It may come back: it stays connected and is sent what there is."""
        self._depart(socket, EndReason.CONNECTION_LOST)

    def back(self, socket: Socket) -> None:
        """This socket answers again."""
        for generation in list(socket.attends):
            if (live := self.live.get(generation)) is not None:
                live.viewers.arrive(socket)
            elif generation in self.followers:  # its owner waits a little for somebody to come back
                self._arrive_elsewhere(generation, socket)
                self.followers.ring()

    def _depart(self, socket: Socket, cause: EndReason) -> None:
        now = time.monotonic()
        for generation in list(socket.attends):
            live = self.live.get(generation)
            if live is not None and live.viewers.leave(socket, cause, now):
                self._left_alone(live)
            followed = self._followed.get(generation)
            if followed is not None and followed.leave(socket, cause, now):
                del self._followed[generation]
                self.spawn(self._say_gone(generation, cause))

    def _left_alone(self, live: LiveGeneration) -> None:
        """Nobody is left here. Signed out and the like end it at once; for the rest somebody may be on the way."""
        alone = live.viewers.pending_end
        if alone is None:
            return
        if alone[1] in (EndReason.LEFT, EndReason.CONNECTION_LOST):
            self.spawn(self._look_for_others(live))
        else:
            live.stop(alone[1])

    async def _look_for_others(self, live: LiveGeneration) -> None:
        try:
            async with asyncio.timeout(LOOK):
                seen = await in_database(look, live.id)
        except AWAY as error:  # a database that is away knows of nobody; the provider must not go on for that
            logger.info("generation %s: no look for other viewers: %s", live.id, type(error).__name__)
            seen = Look()
        elsewhere = seen.elsewhere or (seen.silent and not self._silence_counts())
        if elsewhere and not live.viewers.anybody:
            live.viewers.arrive(ELSEWHERE)
        if seen.expected:
            live.viewers.postpone_end(time.monotonic())
        self._end_when_due(live)

    def _silence_counts(self) -> bool:
        """Whether the database has long been well, so that processes that show something could say so."""
        return self.journal.steady() >= SEEN + POLL

    def _end_when_due(self, live: LiveGeneration) -> None:
        alone = live.viewers.pending_end
        if alone is None or live.id not in self.live:
            return
        due, cause = alone
        now = time.monotonic()
        if now >= due:
            live.stop(cause)
        elif not math.isinf(due):
            asyncio.get_running_loop().call_later(due - now, self._look_again, live)

    def _look_again(self, live: LiveGeneration) -> None:
        """The wait is over; but a page that was reloaded twice, say, may have been served only just now."""
        if live.id in self.live and live.viewers.pending_end is not None:
            self.spawn(self._look_for_others(live))

    async def _say_gone(self, generation: uuid.UUID, cause: EndReason) -> None:
        await in_database(gone, generation, self.process, cause)
        self.notifier.notify("moved")

    def _attended(self, generation: uuid.UUID) -> bool:
        viewers = self._followed.get(generation)
        return viewers is not None and viewers.anybody

    # --- other processes ---------------------------------------------------------------------------------------------

    def _watched_here(self) -> set[uuid.UUID]:
        """Conversations on screen here that this process does not answer."""
        return {
            conversation for conversation in self.sockets.conversations() if conversation not in self.by_conversation
        }

    def _begun_elsewhere(self, begun: Begun) -> None:
        self.titles.cancel(begun.conversation)
        for socket in self.sockets.showing(begun.conversation):
            socket.catch_up(None)

    def _over_elsewhere(self, generation: uuid.UUID) -> None:
        self._followed.pop(generation, None)
        for socket in self.sockets.all():
            socket.attends.discard(generation)

    def _notified(self, notification: Notification) -> None:
        kind, name = notification.get("kind"), notification.get("id", "")
        if kind == "stop" and (live := self.live.get(uuid.UUID(name))) is not None:
            live.stop(EndReason(notification["reason"]), StopRequest.from_fields(notification))
        elif kind == "moved":
            self.followers.ring()
        elif kind == "catalog":
            self.spawn(catalog.refresh())
        elif kind == "session":
            self.end_session(name)
        elif kind == "changed":
            self._tell_changed(int(notification["user"]), uuid.UUID(name), notification["title"])
        elif kind == "person":
            self.sockets.recheck(int(name))

    def models_changed(self) -> None:
        """An administrator decided something here; every process looks at it."""
        self.spawn(catalog.refresh())
        self.notifier.notify("catalog")

    def end_session(self, digest: str) -> None:
        for socket in self.sockets.of_session(digest):
            socket.close(4401)
            self.leave(socket, EndReason.SIGNED_OUT)
        for live in list(self.live.values()):
            if live.sessions.pop(digest, None) and not live.sessions and not live.viewers.anybody:
                live.stop(EndReason.SIGNED_OUT)

    def move_session(self, digest: str, successor: SignedIn) -> None:
        """A person changed the password: who was there for an answer in that session is there in its successor."""
        for live in self.live.values():
            if live.sessions.pop(digest, None):
                live.sessions[sessions.digest(successor[0])] = successor

    def left_behind(self) -> list[SignedIn]:
        """The sessions of those who were there for an answer that goes on without anybody."""
        alone = [live for live in self.live.values() if not live.viewers.anybody]
        return [session for live in alone for session in live.sessions.values()]

    # --- the process's own state -------------------------------------------------------------------------------------

    def trusted(self) -> bool:
        """False after a pause in which the lease may have been lost, until a tick has confirmed it."""
        now = time.monotonic()
        if now - self._pulse_at > settings.CHAT_LEASE / 2:
            self._suspect_since = now
            self._pulse_at = now
        return self._suspect_since is None

    def _pulse(self) -> None:
        asyncio.get_running_loop().call_later(PULSE, self._pulse)
        now = time.monotonic()
        metrics.LATE.observe(max(0.0, now - self._pulse_at - PULSE))
        paused = now - self._pulse_at > 1
        flush_rate.loop.look()
        self.trusted()
        self._pulse_at = now
        self.sockets.check(now, paused=paused, lost=self.lost, back=self.back)
        if self.journal.away() > settings.CHAT_STORAGE_PATIENCE and not paused:
            for live in list(self.live.values()):
                live.fail(Outcome(EndReason.STORAGE, detail="the database stayed away"))

    def _ticked(self, tick: Tick) -> None:
        """The journal's tick went through: the lease holds, and this is what the rows say."""
        if self._suspect_since is not None and tick.began > self._suspect_since:
            self._suspect_since = None
        rows = {asked.generation: asked for asked in tick.asked}
        for key in tick.known - rows.keys():
            if (live := self.live.get(key)) is not None:  # fenced: another process has ended it
                live.lose()
        for key, asked in rows.items():
            if (live := self.live.get(key)) is not None:
                self._hear(live, asked)
        if any(asked.watched_elsewhere for asked in tick.asked):
            self.notifier.notify("moved")
        self._count_orphans(rows.keys() - self.live.keys())

    def _hear(self, live: LiveGeneration, asked: Asked) -> None:
        """One row that this version does not understand keeps nobody from hearing of the others."""
        try:
            self._heard(live, asked)
        except Exception:
            logger.exception("generation %s: its row was not understood", live.id)

    def _heard(self, live: LiveGeneration, asked: Asked) -> None:
        if asked.stop_reason:
            live.stop(known_reason(asked.stop_reason, EndReason.STOPPED), None)
        if asked.watched_elsewhere:
            live.viewers.arrive(ELSEWHERE)
        elif not asked.silent_elsewhere or self._silence_counts():
            cause = known_reason(asked.left_elsewhere, EndReason.LEFT)
            if live.viewers.leave(ELSEWHERE, cause, time.monotonic()):
                self._left_alone(live)

    def _count_orphans(self, strays: set[uuid.UUID]) -> None:
        """Rows of this process that nothing here runs: begun, and then lost on the way to `launch`."""
        self._orphans = {key: self._orphans.get(key, 0) + 1 for key in strays}
        for key, ticks in self._orphans.items():
            if ticks % ORPHAN_TICKS == 0:
                self.spawn(in_database(reaper.take_away, key, EndReason.SERVER_LOST))


PeriodicTasks = Callable[[Supervisor], Iterable[Coroutine[Any, Any, None]]]

supervisor = Supervisor()
