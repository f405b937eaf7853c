"""The sockets of this process: which user, session and conversation each belongs to, and whether it still answers."""

import uuid
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from django.conf import settings

from . import frames
from .broadcast import Viewer
from .outbox import Outbox

ELSEWHERE: Final = "elsewhere"
"""Stands in an attendance for the viewers of other processes."""

PING = 1.0
"""Seconds without a word after which a page is asked for one that watches an answer, or has much to acknowledge: it may
have missed an end."""

FULL = 5.0
"""Seconds that a page may leave its unread frames where they are before it is closed with 1013."""


class Socket(Viewer, Protocol):
    """What the registry knows of a consumer."""

    user_id: int
    session: str
    tab: str
    signed_in_by: tuple[str, int, str]
    conversation: uuid.UUID | None
    attends: set[uuid.UUID]
    outbox: Outbox
    lost: bool
    turn: int
    pinged_at: float

    def __hash__(self) -> int: ...
    def next_turn(self) -> int: ...
    def close(self, code: int) -> None: ...
    def recheck(self) -> None: ...
    def catch_up(self, message: uuid.UUID | None) -> None: ...


class Sockets:
    """All that are open. Small enough to be looked through: a process has hundreds, not millions."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()

    def add(self, socket: Socket) -> None:
        self._sockets.add(socket)

    def remove(self, socket: Socket) -> None:
        self._sockets.discard(socket)

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._sockets

    def all(self) -> list[Socket]:
        return list(self._sockets)

    def of_user(self, user: int) -> list[Socket]:
        return [socket for socket in self._sockets if socket.user_id == user]

    def of_session(self, digest: str) -> list[Socket]:
        return [socket for socket in self._sockets if socket.session == digest]

    def showing(self, conversation: uuid.UUID) -> list[Socket]:
        return [socket for socket in self._sockets if socket.conversation == conversation]

    def conversations(self) -> Iterator[uuid.UUID]:
        return (socket.conversation for socket in self._sockets if socket.conversation is not None)

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
                socket.outbox.hear(now)
            self._check(socket, now, lost, back)

    def _check(
        self, socket: Socket, now: float, lost: Callable[[Socket], None], back: Callable[[Socket], None]
    ) -> None:
        full_since = socket.outbox.full_since
        if full_since is not None and now - full_since > FULL:
            socket.close(1013)
            return
        if not socket.attends and full_since is None:
            return
        silent = now - socket.outbox.heard_at
        if socket.lost and silent < settings.CHAT_ACK_TIMEOUT:
            socket.lost = False
            back(socket)
        elif not socket.lost and silent >= settings.CHAT_ACK_TIMEOUT:
            socket.lost = True
            lost(socket)
        if silent >= PING and now - socket.pinged_at >= PING:
            socket.pinged_at = now
            socket.push(frames.PING)
