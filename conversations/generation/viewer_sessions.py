"""What the end of a sign-in session means for the generations that were viewed in it."""

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
        """Close the sockets of this session, and end what only it has viewed and nobody views now."""
        for socket in self._sockets.of_session(digest):
            socket.close(4401)
            self._leave(socket, EndReason.SIGNED_OUT)
        for live in self._live:
            if live.sessions.pop(digest, None) and not live.sessions and not live.viewers.anybody:
                live.stop(EndReason.SIGNED_OUT)

    def replace(self, digest: str, successor: SignedIn) -> None:
        """A person changed the password: whatever was viewed in this session counts as viewed in its successor."""
        for live in self._live:
            if live.sessions.pop(digest, None):
                live.sessions[socket_sessions.digest(successor[0])] = successor

    def unattended(self) -> list[SignedIn]:
        """The sessions in which generations were viewed that nobody views now."""
        alone = [live for live in self._live if not live.viewers.anybody]
        return [session for live in alone for session in live.sessions.values()]
