"""Ties together what one process needs to run generations: starts it, launches generations, drains it."""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from django.conf import settings

from conversations.cluster.follower import Follower
from conversations.cluster.follower_sql import RemoteGeneration
from conversations.cluster.notifications import Kind, Notification, Notifier
from conversations.delivery.open_sockets import Socket, Sockets
from conversations.models.ids import new_id
from conversations.providers.catalog.model_catalog import catalog
from conversations.providers.client_pool import ClientPool
from conversations.providers.token_counter import tokenizer
from conversations.rendering import worker
from conversations.rules.status import EndReason
from conversations.rules.stop_request import StopRequest
from conversations.storage import reaper
from conversations.storage.db_threads import in_database, limit_query_time
from conversations.storage.journal import Journal

from . import ending_builder
from .answer_rate_limit import limiter
from .auto_titles import AutoTitles
from .background_tasks import BackgroundTasks
from .heartbeat import Heartbeat
from .lease_trust import Lease
from .live_generation import LiveGeneration, ProcessContext
from .notification_handler import NotificationHandler
from .registry import GenerationRegistry
from .sidebar_activity import Activity
from .stored_start import Started
from .tick_handler import TickHandler
from .viewer_sessions import ViewerSessions
from .viewer_tracker import ViewerTracker

CLOSE_RESERVE = 1.0
"""Seconds of the drain reserved for the work after the last save."""


class Supervisor:
    """One per process: `supervisor`. Lives on the event loop. No method waits, except the coroutines."""

    def __init__(self) -> None:
        self.process = new_id()
        self.stopping = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.sockets = Sockets()
        self.live = GenerationRegistry()
        self.tasks = BackgroundTasks()
        self.lease = Lease()
        self.notifier = Notifier(self._notified)
        self.follower = Follower(self.process, self._followable, self._remote_started, self._remote_ended)
        self.viewers = ViewerTracker(
            self.process,
            self.live,
            self.sockets,
            self.follower,
            self.notifier,
            self.tasks,
            lambda: self.journal.steady_for(),
        )
        self.sessions = ViewerSessions(self.live, self.sockets, self.leave)
        self.activity = Activity(self.live, self.sockets)
        self._notifications = NotificationHandler(
            self.live, self.sockets, self.follower, self.sessions, self.activity, self.tasks
        )
        self._ticks = TickHandler(self.live, self.viewers, self.lease, self.notifier, self.tasks)

    # --- the process -------------------------------------------------------------------------------------------------

    async def start(self, periodic_tasks: "PeriodicTasks") -> None:
        """Start the process; it can run generations when this returns. `periodic_tasks` returns the coroutines of this
        process that run until they are cancelled. Raises psycopg.Error, OSError."""
        self.loop = asyncio.get_running_loop()
        limit_query_time()
        self.providers = ClientPool()
        self.titles = AutoTitles(self.providers, self.conversation_changed)
        self.journal = Journal(self.process, self.loop, self._ticks.ticked)
        await asyncio.to_thread(self.journal.start)
        await in_database(reaper.reap, self.process, at_start=True)
        await catalog.start(self.providers)
        await self.notifier.start()
        self.follower.start()
        Heartbeat(self.lease, self.live, self.sockets, self.viewers, self.journal).start()
        for task in periodic_tasks(self):
            self.spawn(task)

    async def drain(self) -> None:
        """Refuse new work, cancel upstream, save, notify the pages. Returns within `CHAT_DRAIN_TIMEOUT` seconds."""
        self.stopping = True
        deadline = time.monotonic() + settings.CHAT_DRAIN_TIMEOUT - CLOSE_RESERVE
        for live in self.live:
            live.stop(EndReason.SERVER_SHUTDOWN)
        await self.titles.close()
        while (tasks := self._unfinished()) and time.monotonic() < deadline:
            await asyncio.wait(tasks, timeout=max(0.0, deadline - time.monotonic()))
        for socket in self.sockets.all():
            socket.close(1012)
        await self.follower.close()
        await self.notifier.close()
        self.tasks.cancel()
        self.journal.close()
        await asyncio.to_thread(self.journal.join, max(0.1, deadline - time.monotonic()))
        await self.providers.close()
        await asyncio.to_thread(tokenizer.close)
        await asyncio.to_thread(worker.close)

    def _unfinished(self) -> set[asyncio.Task[Any]]:
        """What has to be saved before the process may exit: generations, and commands that are about to start one."""
        return self.tasks.unfinished | {live.task for live in self.live if live.task is not None}

    def spawn(
        self, coroutine: Coroutine[Any, Any, Any], name: str | None = None, *, must_finish: bool = False
    ) -> asyncio.Task[Any]:
        """Run a coroutine to its end in a task of its own, whatever happens to the caller. A drain waits for tasks that
        `must_finish`."""
        return self.tasks.spawn(coroutine, name, must_finish=must_finish)

    def call(self, function: Callable[..., None], *args: object) -> None:
        """Call `function` on the event loop, from any thread. Does nothing in a process that serves no pages."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function, *args)

    # --- generations of this process ---------------------------------------------------------------------------------

    def launch(
        self, started: Started, user: int, command: uuid.UUID, *, stopped: StopRequest | None = None
    ) -> LiveGeneration:
        """Run a generation that is stored in the database. `stopped`: who stopped it before it was launched."""
        provider = self.providers.acquire(started.model.endpoint)
        try:
            context = ProcessContext(self.journal, provider, self.lease.trusted, self._resync, self._ended)
            live = LiveGeneration(started, user, command, context)
        except Exception:
            self.providers.release(started.model.endpoint)
            raise
        self.live.add(live)
        if stopped:
            live.stop(EndReason.STOPPED, stopped)
        if self.stopping:
            live.stop(EndReason.SERVER_SHUTDOWN)
        live.start()
        self.activity.started(live)
        return live

    async def end_unlaunched(self, started: Started) -> None:
        """End a generation that is stored in the database and could not be launched. Returns when the end is saved,
        however long that takes; cancelling does not undo it."""
        await self.journal.end(ending_builder.of_unlaunched(started))
        self.live.remember_ended(started.generation.pk)
        self.notifier.notify(Kind.ROWS_CHANGED)

    def _ended(self, live: LiveGeneration) -> None:
        self.live.remove(live)
        if live.saved:
            self.live.remember_ended(live.id)
        self.providers.release(live.endpoint)
        self.viewers.remove_generation(live.id, self.sockets.of_user(live.user))
        self.notifier.notify(Kind.ROWS_CHANGED)
        self.activity.ended(live)
        if not self.stopping and (self.sockets.of_user(live.user) or live.started.when_leaving == "finish"):
            self.titles.request(live, allowed=limiter.take_title)

    def _resync(self, live: LiveGeneration) -> None:
        """Make the pages load the answer again: another process ended it, so they may show text that was not saved."""
        live.broadcast.subscribers.clear()
        for socket in self.sockets.showing(live.conversation):
            socket.catch_up(live.message)

    # --- pages and conversations -------------------------------------------------------------------------------------

    def leave(self, socket: Socket, cause: EndReason) -> None:
        """Forget a socket that has closed, for this reason."""
        self.sockets.remove(socket)
        self.unsubscribe(socket)
        if not self.sockets.of_user(socket.user_id):
            self.titles.cancel_for_person(socket.user_id)
        self.viewers.leave(socket, cause)

    def unsubscribe(self, socket: Socket) -> None:
        """Send this socket no more frames of any answer. It remains a viewer."""
        for live in self.live:
            live.broadcast.unsubscribe(socket)
        self.follower.unsubscribe(socket)

    def conversation_deleted(self, conversation: uuid.UUID) -> None:
        """End the generation of a deleted conversation if it runs here. Another process notices the deletion at its
        next tick."""
        self.titles.cancel_for_conversation(conversation)
        live = self.live.in_conversation(conversation)
        if live is not None:
            live.stop(EndReason.DELETED, StopRequest.from_page(live.user))

    def conversation_changed(self, user: int, conversation: uuid.UUID, title: str) -> None:
        """Update all pages of a conversation's owner, in every process, after it was renamed, pinned or the like."""
        self.activity.conversation_changed(user, conversation, title)
        self.notifier.notify(Kind.CONVERSATION_CHANGED, id=str(conversation), user=str(user), title=title)

    def models_changed(self) -> None:
        """Make every process read the endpoints and models again: an administrator changed them here."""
        self.spawn(catalog.refresh())
        self.notifier.notify(Kind.CATALOG_CHANGED)

    # --- generations of other processes ------------------------------------------------------------------------------

    def _notified(self, notification: Notification) -> None:
        self._notifications.handle(notification)

    def _followable(self) -> set[uuid.UUID]:
        """Conversations on screen here that this process does not answer."""
        on_screen = set(self.sockets.conversations())
        return {conversation for conversation in on_screen if self.live.in_conversation(conversation) is None}

    def _remote_started(self, remote: RemoteGeneration) -> None:
        self.titles.cancel_for_conversation(remote.conversation)
        for socket in self.sockets.showing(remote.conversation):
            socket.catch_up(None)

    def _remote_ended(self, generation: uuid.UUID) -> None:
        self.viewers.remove_generation(generation, self.sockets.all())


PeriodicTasks = Callable[[Supervisor], Iterable[Coroutine[Any, Any, None]]]

supervisor = Supervisor()
