"""The undocumented parts of Daphne, Twisted and autobahn that the server uses, and what it does without each.

`check` looks for all of them at the start. A part that is missing, because a new release renamed it, costs one line in
the log and what the table says, never the start. `requirements.in` bounds these three libraries with `~=`.

| Part | Without it |
|---|---|
| `daphne.server.HTTPFactory` | no limits on the size and duration of requests, no reserve of open files |
| `daphne.server.WebSocketFactory` | no close codes of our own, no limit on control frames, frames sent through ASGI |
| `daphne.server.Server.connections` | a stopping server waits fixed times instead of checking who is connected |
| `daphne.server.Server.create_application` | frames are sent through ASGI |
| `daphne.server.Server.handle_reply` | a long download waits in memory, not in the database |
| `daphne.server.Server.kill_all_applications` | Daphne ends its applications while the answers are being saved |
| `twisted.internet.abstract.FileDescriptor._tempDataBuffer` and what belongs to it | frames are sent through ASGI |
| `autobahn.websocket.protocol.WebSocketProtocol._dataReceived` | each frame from a page costs a debug line |
| `autobahn.websocket.protocol.WebSocketProtocol.onFrameBegin` | control frames of a page are not counted |
"""

import logging
from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol
from daphne import server as daphne
from twisted.internet.abstract import FileDescriptor
from twisted.internet.tcp import Server as Connection

logger = logging.getLogger(__name__)

DAPHNE_HOOKS = ("create_application", "handle_reply", "kill_all_applications")
"""Methods of Daphne's server that it calls itself and that `chatapp.server` overrides."""

TRANSPORT_BUFFERS = ("dataBuffer", "_tempDataBuffer")
"""Where a connection of Twisted keeps what the socket has not taken yet."""

TRANSPORT_PARTS = (*TRANSPORT_BUFFERS, "writeSomeData", "TLS")
"""The attributes of a connection that `write_directly` uses."""

Connections = dict[Any, dict[str, Any]]


def check() -> list[str]:
    """Log one warning for each part that is missing; return their names."""
    missing = [name for name, present in _parts().items() if not present]
    for name in missing:
        logger.warning("%s is missing in the installed release; the public interface is used instead", name)
    return missing


def _parts() -> dict[str, bool]:
    hooks = {f"daphne.server.Server.{name}": hasattr(daphne.Server, name) for name in DAPHNE_HOOKS}
    buffers = FileDescriptor()
    return {
        "daphne.server.HTTPFactory": hasattr(daphne, "HTTPFactory"),
        "daphne.server.WebSocketFactory": hasattr(daphne, "WebSocketFactory"),
        **hooks,
        **{f"twisted.internet.abstract.FileDescriptor.{name}": hasattr(buffers, name) for name in TRANSPORT_BUFFERS},
        "twisted.internet.tcp.Server.writeSomeData": hasattr(Connection, "writeSomeData"),
        "twisted.internet.tcp.Server.TLS": hasattr(Connection, "TLS"),
        "autobahn _dataReceived": hasattr(WebSocketServerProtocol, "_dataReceived"),
        "autobahn onFrameBegin": hasattr(WebSocketServerProtocol, "onFrameBegin"),
    }


def use_factories(pages: type, sockets: type) -> None:
    """Let Daphne make its protocols with these factories. It has no option for them: it calls two names of its module.
    A name that is missing stays missing, and Daphne uses its own factory."""
    for name, factory in (("HTTPFactory", pages), ("WebSocketFactory", sockets)):
        if hasattr(daphne, name):
            setattr(daphne, name, factory)


def connections(server: Any) -> Connections | None:
    """Daphne's protocols, each with its application's task and the time it disconnected; None if that attribute is
    missing."""
    found = getattr(server, "connections", None)
    return found if isinstance(found, dict) else None


def can_write_directly(transport: Any) -> bool:
    """Whether `write_directly` works on this connection."""
    return all(hasattr(transport, name) for name in TRANSPORT_PARTS)


def write_directly(transport: Any, data: bytes) -> None:
    """Write `data` to the socket at once, or append it to the bytes that are already waiting.

    The public `transport.write` waits for another turn of the event loop, which costs more than sending a small frame.
    """
    if not transport.TLS and not any(getattr(transport, name) for name in TRANSPORT_BUFFERS):
        sent = transport.writeSomeData(data)
        if isinstance(sent, int) and sent > 0:
            data = data[sent:]
    if data:
        transport.write(data)


def quiet_receiver(protocol: Any, public: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return the method that receives the bytes of a WebSocket: autobahn's `dataReceived` without the coloured debug
    line that it composes for each packet (a quarter of what an acknowledgement costs), or `public` if that part is
    missing."""
    return getattr(protocol, "_dataReceived", None) or public
