"""The sockets of this process: whose they are, which conversation each shows, and whether it still answers."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from django.conf import settings

from conversations.people.socket_sessions import SignedIn
from conversations.protocol import events
from conversations.rules.send_window import SendWindow

from .broadcast import Viewer

PING_INTERVAL = 2.0
"""Seconds of silence after which a page is pinged if it views an answer or has a full send window: it may have missed
an end. Longer than the time between two acknowledgements, so that a page which gets frames is not pinged. Half of
`CHAT_ACK_TIMEOUT` if that is less."""

FULL_TIMEOUT = 5.0
"""Seconds that a page may leave its send window full before its socket is closed with 1013."""

Key = TypeVar("Key")


class Socket(Viewer, Protocol):
    """One page's connection, as the code below the consumer knows it.

    `session`: digest of the session's key. `conversation`: the one on screen; None for a new chat. `viewing`: ids of
    the generations that the page is a viewer of. `lost`: it has been silent for longer than `CHAT_ACK_TIMEOUT`. `turn`:
    grows whenever the page asks for something else. `signed_in`: its session; key "" before sign-in.
    """

    user_id: int
    session: str
    signed_in: SignedIn
    conversation: uuid.UUID | None
    viewing: set[uuid.UUID]
    send_window: SendWindow
    lost: bool
    turn: int
    pinged_at: float

    def __hash__(self) -> int: ...
    def next_turn(self) -> int:
        """Start a new turn, which makes older lookups outdated; returns its number."""

    def close(self, code: int) -> None:
        """Close after what is queued, with this WebSocket close code. Returns at once."""

    def recheck(self) -> None:
        """Check in a task whether the session is still valid."""

    def catch_up(self, message: uuid.UUID | None) -> None:
        """Show the conversation on screen again. `message`: the streaming one that the page has last."""


class Sockets:
    """All sockets that are open, by user and by conversation. Lives on the event loop; methods never wait."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._by_user: defaultdict[int, set[Socket]] = defaultdict(set)
        self._by_conversation: defaultdict[uuid.UUID, set[Socket]] = defaultdict(set)

    def add(self, socket: Socket) -> None:
        """Index a socket whose person is known."""
        self._sockets.add(socket)
        self._by_user[socket.user_id].add(socket)
        self.show(socket, socket.conversation)

    def remove(self, socket: Socket) -> None:
        """Forget a socket; does nothing for an unknown one."""
        self._sockets.discard(socket)
        _remove(self._by_user, socket.user_id, socket)
        if socket.conversation is not None:
            _remove(self._by_conversation, socket.conversation, socket)

    def show(self, socket: Socket, conversation: uuid.UUID | None) -> None:
        """Note that this conversation is on screen; None for a new chat."""
        if socket.conversation is not None:
            _remove(self._by_conversation, socket.conversation, socket)
        socket.conversation = conversation
        if conversation is not None and socket in self._sockets:
            self._by_conversation[conversation].add(socket)

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._sockets

    def all(self) -> list[Socket]:
        """A copy, so sockets may be removed while the caller iterates; so are the lists below."""
        return list(self._sockets)

    def of_user(self, user: int) -> list[Socket]:
        """The sockets of one person, in all their sessions."""
        return list(self._by_user.get(user, ()))

    def of_session(self, digest: str) -> list[Socket]:
        """The sockets of one session, by the digest of its key. Looks through all sockets."""
        return [socket for socket in self._sockets if socket.session == digest]

    def showing(self, conversation: uuid.UUID) -> list[Socket]:
        """The sockets that have this conversation on screen."""
        return list(self._by_conversation.get(conversation, ()))

    def conversations(self) -> Iterator[uuid.UUID]:
        """The conversations on screen, once for each page."""
        return (conversation for conversation, sockets in self._by_conversation.items() for _ in sockets)

    def recheck(self, user: int) -> None:
        """Check again whether this person is still signed in on each of their sockets."""
        for socket in self.of_user(user):
            socket.recheck()

    def check(
        self, now: float, *, paused: bool, on_lost: Callable[[Socket], None], on_back: Callable[[Socket], None]
    ) -> None:
        """Call `on_lost` for pages that view an answer and have gone silent, `on_back` for those that have come back;
        close those that do not read; ping the silent ones. `now`: on `time.monotonic`'s clock. `paused`: the process
        itself stood still, so silence means nothing."""
        for socket in list(self._sockets):
            if paused:
                socket.send_window.touch(now)
            self._check(socket, now, on_lost, on_back)

    def _check(
        self, socket: Socket, now: float, on_lost: Callable[[Socket], None], on_back: Callable[[Socket], None]
    ) -> None:
        full_since = socket.send_window.full_since
        if full_since is not None and now - full_since > FULL_TIMEOUT:
            socket.close(1013)
            return
        if not socket.viewing and full_since is None:
            return
        silent = now - socket.send_window.heard_at
        if socket.lost and silent < settings.CHAT_ACK_TIMEOUT:
            socket.lost = False
            on_back(socket)
        elif not socket.lost and silent >= settings.CHAT_ACK_TIMEOUT:
            socket.lost = True
            on_lost(socket)
        interval = min(PING_INTERVAL, settings.CHAT_ACK_TIMEOUT / 2)
        if silent >= interval and now - socket.pinged_at >= interval:
            socket.pinged_at = now
            socket.push(events.PING)


def _remove(index: dict[Key, set[Socket]], key: Key, socket: Socket) -> None:
    """Remove a socket from an index, which keeps no empty sets."""
    sockets = index.get(key)
    if sockets is not None:
        sockets.discard(socket)
        if not sockets:
            del index[key]
