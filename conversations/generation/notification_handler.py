"""Handles the notifications of other processes."""

import uuid
from collections.abc import Callable

from conversations.cluster.follower import Follower
from conversations.cluster.notifications import Kind, Notification
from conversations.delivery.open_sockets import Sockets
from conversations.providers.catalog.model_catalog import catalog
from conversations.rules.status import EndReason
from conversations.rules.stop_request import StopRequest

from .background_tasks import BackgroundTasks
from .registry import GenerationRegistry
from .sidebar_activity import Activity
from .viewer_sessions import ViewerSessions


class NotificationHandler:
    """A notification is only a hint: the database contains whatever it says. Lives on the event loop; never waits."""

    def __init__(
        self,
        live: GenerationRegistry,
        sockets: Sockets,
        follower: Follower,
        sessions: ViewerSessions,
        activity: Activity,
        tasks: BackgroundTasks,
    ) -> None:
        self._live = live
        self._sockets = sockets
        self._follower = follower
        self._sessions = sessions
        self._activity = activity
        self._tasks = tasks
        self._actions: dict[str, Callable[[Notification], None]] = {
            Kind.STOP: self._stop,
            Kind.ROWS_CHANGED: lambda _: self._follower.poll_now(),
            Kind.CATALOG_CHANGED: lambda _: self._refresh_catalog(),
            Kind.SESSION_ENDED: lambda sent: self._sessions.end(sent["id"]),
            Kind.CONVERSATION_CHANGED: self._conversation_changed,
            Kind.ACCOUNT_CHANGED: lambda sent: self._sockets.recheck(int(sent["id"])),
        }

    def handle(self, sent: Notification) -> None:
        """Ignores kinds that this version does not know. Raises KeyError or ValueError if fields are missing or
        malformed."""
        action = self._actions.get(sent.get("kind", ""))
        if action is not None:
            action(sent)

    def _stop(self, sent: Notification) -> None:
        live = self._live.get(uuid.UUID(sent["id"]))
        if live is not None:
            live.stop(EndReason(sent["reason"]), StopRequest.from_fields(sent))

    def _refresh_catalog(self) -> None:
        self._tasks.spawn(catalog.refresh())

    def _conversation_changed(self, sent: Notification) -> None:
        self._activity.conversation_changed(int(sent["user"]), uuid.UUID(sent["id"]), sent["title"])
