"""SIGTERM stops and saves every answer, tells and closes every page, and ends the process in time."""

import signal

import pytest

from tests.support import generations, people
from tests.support.provider.endless import endless

STREAMS = 10


@pytest.fixture
def streaming(start_server, answering):
    """Returns (server, ten streaming answers)."""
    server = start_server()
    begun = [answering(people.new_person("somebody", server)) for _ in range(STREAMS)]
    for a in begun:
        a.exchange.stream(endless(), 20)
    for a in begun:
        a.exchange.wait_written(5)
    return server, begun


def test_shutdown_ends_ten_streams_in_time(streaming):
    server, begun = streaming
    ended = server.stop(signal.SIGTERM)
    assert ended.code == 0
    assert ended.seconds <= 10
    assert "Traceback" not in server.output
    assert {generations.outcome(a.asked) for a in begun} == {("interrupted", "server_shutdown")}
    assert {a.page.wait_closed() for a in begun} == {1012}


def test_shutdown_tells_the_pages_first(streaming):
    server, begun = streaming
    server.stop()
    for a in begun:
        end = next(event for event in a.page.events if event.op == "end")
        assert (end["status"], end["reason"]) == ("interrupted", "server_shutdown")
        assert "The server restarted" in end["note"]
        assert generations.text(a.asked).strip() == a.asked.text


def test_shutdown_closes_the_providers_sockets(streaming):
    server, begun = streaming
    server.stop()
    for a in begun:
        a.exchange.wait_closed(1)
        assert a.exchange.text.startswith(generations.text(a.asked))


def test_idle_shutdown_is_quick(start_server, alice, socket):
    server = start_server()
    page = socket(alice.at(server))
    ended = server.stop()
    assert (ended.code, ended.seconds < 5) == (0, True)
    assert page.wait_closed() == 1012


def test_ctrl_c_is_the_same_as_sigterm(start_server, alice, answering):
    server = start_server()
    a = answering(alice.at(server))
    generation = a.asked.generation
    assert server.stop(signal.SIGINT).code == 0
    assert generations.outcome(generation) == ("interrupted", "server_shutdown")


def test_second_signal_loses_nothing(streaming):
    server, begun = streaming
    server.send_signal(signal.SIGTERM)
    assert server.stop(signal.SIGTERM).code == 0
    assert {generations.outcome(a.asked) for a in begun} == {("interrupted", "server_shutdown")}
