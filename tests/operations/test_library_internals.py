"""Without the undocumented parts of Daphne, Twisted and autobahn the product still serves and stops."""

import pytest

from chatapp import library_internals
from tests.support import people, servers

START = "from chatapp import server\nfrom chatapp import library_internals\n{}\nserver.main()"
"""A program that removes some internals and then starts the server."""

OTHER_FACTORIES = """
import types
library_internals.daphne = types.SimpleNamespace(Server=library_internals.daphne.Server)
"""

OTHER_BUFFERS = """
from autobahn.twisted.websocket import WebSocketAdapterProtocol
from autobahn.websocket.protocol import WebSocketProtocol
library_internals.TRANSPORT_BUFFERS = ("dataBuffer", "_renamed")
library_internals.TRANSPORT_PARTS = ("dataBuffer", "_renamed", "writeSomeData", "TLS")
library_internals.connections = lambda server: None
WebSocketProtocol._renamed = WebSocketProtocol._dataReceived
WebSocketAdapterProtocol.dataReceived = lambda self, data: self._renamed(data)
del WebSocketProtocol._dataReceived
"""


class WithoutBuffers:
    """A connection of a Twisted release that keeps its buffers elsewhere."""

    def __init__(self):
        self.written = b""

    def write(self, data):
        self.written += data


class Buffered(WithoutBuffers):
    """A Twisted connection with some bytes, or none, that its socket has not accepted yet."""

    TLS = False
    _tempDataBuffer = ()  # noqa: N815

    def __init__(self, waiting=b"", takes=2):
        super().__init__()
        self.dataBuffer = waiting
        self.takes = takes
        self.direct = b""

    def writeSomeData(self, data):  # noqa: N802
        self.direct += data[: self.takes]
        return len(data[: self.takes])


def test_all_internals_are_present():
    assert library_internals.check() == []


def test_a_missing_internal_is_logged_by_name(monkeypatch, caplog):
    monkeypatch.setattr(library_internals, "DAPHNE_HOOKS", ("create_application", "renamed"))
    assert library_internals.check() == ["daphne.server.Server.renamed"]
    assert "daphne.server.Server.renamed is missing" in caplog.text


def test_a_connection_without_buffers_is_not_written_to_directly():
    assert not library_internals.can_write_directly(WithoutBuffers())
    assert library_internals.can_write_directly(Buffered())


def test_the_rest_of_a_frame_is_buffered_when_the_socket_is_full():
    connection = Buffered()
    library_internals.write_directly(connection, b"frame")
    assert (connection.direct, connection.written) == (b"fr", b"ame")


def test_a_frame_is_written_after_the_buffered_bytes():
    connection = Buffered(waiting=b"earlier")
    library_internals.write_directly(connection, b"frame")
    assert (connection.direct, connection.written) == (b"", b"frame")


@pytest.mark.parametrize(
    ("taken_away", "missing"),
    [(OTHER_FACTORIES, "WebSocketFactory"), (OTHER_BUFFERS, "autobahn _dataReceived")],
    ids=["Daphne's factories", "buffers, receiver and connections"],
)
def test_stop_and_shutdown_work_without_internals(taken_away, missing, database, provider, answering):
    class Newer(servers.Server):
        program = ("-c", START.format(taken_away))

    server = Newer.start(OPENAI_BASE_URL=provider.url)
    try:
        a = answering(people.new_person("alice", server))
        a.page.stop(generation=a.asked.generation)
        assert a.asked.outcome == ("interrupted", "stopped")
        assert f"{missing} is missing" in server.output
        assert server.stop().code == 0
    finally:
        server.end_if_running()
