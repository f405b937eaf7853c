"""The sockets of this process: which user, session and conversation each belongs to, and whether it still answers."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeVar

from django.conf import settings

from conversations.protocol import events
from conversations.rules.send_window import SendWindow

from .broadcast import Viewer

ELSEWHERE: Final = "elsewhere"
"""Stands in an viewers for the viewers of other processes."""

PING = 2.0
"""Seconds without a word after which a page is asked for one that watches an answer, or has much to acknowledge: it may
have missed an end. Longer than pages that get frames wait with the next acknowledgement, so those are not asked; less
where silence counts as a lost network sooner (`CHAT_ACK_TIMEOUT`)."""

FULL = 5.0
"""Seconds that a page may leave its unread frames where they are before it is closed with 1013."""


Key = TypeVar("Key")


class Socket(Viewer, Protocol):
    """What the supervisor knows of a consumer."""

    user_id: int
    session: str
    signed_in_by: tuple[str, int, str]
    conversation: uuid.UUID | None
    attends: set[uuid.UUID]
    send_window: SendWindow
    lost: bool
    turn: int
    pinged_at: float

    def __hash__(self) -> int: ...
    def next_turn(self) -> int: ...
    def close(self, code: int) -> None: ...
    def recheck(self) -> None: ...
    def catch_up(self, message: uuid.UUID | None) -> None: ...


class Sockets:
    """All that are open, and which of them are whose and show what."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._by_user: defaultdict[int, set[Socket]] = defaultdict(set)
        self._by_conversation: defaultdict[uuid.UUID, set[Socket]] = defaultdict(set)

    def add(self, socket: Socket) -> None:
        self._sockets.add(socket)
        self._by_user[socket.user_id].add(socket)
        self.show(socket, socket.conversation)

    def remove(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        _take_out(self._by_user, socket.user_id, socket)
        if socket.conversation is not None:
            _take_out(self._by_conversation, socket.conversation, socket)

    def show(self, socket: Socket, conversation: uuid.UUID | None) -> None:
        """This conversation is on screen from now on; None: a new chat."""
        if socket.conversation is not None:
            _take_out(self._by_conversation, socket.conversation, socket)
        socket.conversation = conversation
        if conversation is not None and socket in self._sockets:
            self._by_conversation[conversation].add(socket)

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._sockets

    def all(self) -> list[Socket]:
        return list(self._sockets)

    def of_user(self, user: int) -> list[Socket]:
        return list(self._by_user.get(user, ()))

    def of_session(self, digest: str) -> list[Socket]:
        return [socket for socket in self._sockets if socket.session == digest]

    def showing(self, conversation: uuid.UUID) -> list[Socket]:
        return list(self._by_conversation.get(conversation, ()))

    def conversations(self) -> Iterator[uuid.UUID]:
        """Those on screen, once for each page."""
        return (conversation for conversation, sockets in self._by_conversation.items() for _ in sockets)

    def recheck(self, user: int) -> None:
        """Ask again who is behind this person's sockets."""
        for socket in self.of_user(user):
            socket.recheck()

    def check(
        self, now: float, *, paused: bool, lost: Callable[[Socket], None], back: Callable[[Socket], None]
    ) -> None:
        """Who watches an answer and has gone silent, or has come back; who does not read. `paused`: the process itself
        stood still, so nobody's silence means anything."""
        for socket in list(self._sockets):
            if paused:
                socket.send_window.touch(now)
            self._check(socket, now, lost, back)

    def _check(
        self, socket: Socket, now: float, lost: Callable[[Socket], None], back: Callable[[Socket], None]
    ) -> None:
        full_since = socket.send_window.full_since
        if full_since is not None and now - full_since > FULL:
            socket.close(1013)
            return
        if not socket.attends and full_since is None:
            return
        silent = now - socket.send_window.heard_at
        if socket.lost and silent < settings.CHAT_ACK_TIMEOUT:
            socket.lost = False
            back(socket)
        elif not socket.lost and silent >= settings.CHAT_ACK_TIMEOUT:
            socket.lost = True
            lost(socket)
        patience = min(PING, settings.CHAT_ACK_TIMEOUT / 2)
        if silent >= patience and now - socket.pinged_at >= patience:
            socket.pinged_at = now
            socket.push(events.PING)


def _take_out(index: dict[Key, set[Socket]], key: Key, socket: Socket) -> None:
    """Of an index that keeps no empty sets."""
    sockets = index.get(key)
    if sockets is not None:
        sockets.discard(socket)
        if not sockets:
            del index[key]
