"""Ends or hands over what was viewed in a sign-in session when the session ends."""

from collections.abc import Callable

from conversations.delivery.open_sockets import Socket, Sockets
from conversations.people import socket_sessions
from conversations.people.socket_sessions import SignedIn
from conversations.rules.status import EndReason

from .registry import GenerationRegistry


class ViewerSessions:
    """`leave` is called with each socket that is closed. Lives on the event loop; methods never wait."""

    def __init__(self, live: GenerationRegistry, sockets: Sockets, leave: Callable[[Socket, EndReason], None]) -> None:
        self._live = live
        self._sockets = sockets
        self._leave = leave

    def end(self, digest: str) -> None:
        """Close the sockets of this session, and stop generations that only it has viewed and nobody views now."""
        for socket in self._sockets.of_session(digest):
            socket.close(4401)
            self._leave(socket, EndReason.SIGNED_OUT)
        for live in self._live:
            if live.sessions.pop(digest, None) and not live.sessions and not live.viewers.anybody:
                live.stop(EndReason.SIGNED_OUT)

    def replace(self, digest: str, successor: SignedIn) -> None:
        """Count whatever was viewed in this session as viewed in its successor: the person changed the password."""
        for live in self._live:
            if live.sessions.pop(digest, None):
                live.sessions[socket_sessions.digest(successor.key)] = successor

    def unattended(self) -> list[SignedIn]:
        """The sessions that have viewed generations which nobody views now."""
        alone = [live for live in self._live if not live.viewers.anybody]
        return [session for live in alone for session in live.sessions.values()]
