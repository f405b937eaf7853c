"""Slow or idle connections time out, and some open files are always reserved for real work."""

import resource
import socket as sockets
import subprocess
import sys
from contextlib import ExitStack

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from chatapp.http_protocol import REQUEST_TIMEOUT, Channel, LimitedRequest
from chatapp.installation_settings import BASE_DIR
from tests.support import environment, people, servers
from tests.support.polling import eventually

MAX_FILES = 160
"""The open files of a server; a quarter of them is reserved."""


@pytest.fixture
def small(database, provider):
    """A server that starts with a low limit, which is then changed."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    try:
        with servers.running(OPENAI_BASE_URL=provider.url) as server:
            yield server
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_open_file_limit_is_raised_and_partly_reserved(small, provider, answering):
    pid = small.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert soft == hard or soft > 1024
    a = answering(people.new_person("alice", small))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (MAX_FILES, hard))
    with ExitStack() as stack:
        held = [stack.enter_context(sockets.create_connection(small.address)) for _ in range(2 * MAX_FILES)]
        small.wait_output("connections are refused", 10)
        held[-1].settimeout(10)
        assert held[-1].recv(1) == b""
        a.exchange.finish()
        assert a.asked.outcome == ("complete", "finished")
        following = provider.expect()
        asked = a.page.ask(following.prompt, after=a.asked)
        following.write_tokens("Still here.").finish()
        assert asked.outcome == ("complete", "finished")
    somebody = people.new_person("bob", small)
    eventually(lambda: reachable(somebody), "the server accepts connections again")


def reachable(person):
    try:
        return person.get("/healthz").status == 200
    except OSError:
        return False


@pytest.fixture
def dripping():
    """A connection on which bytes arrive one by one, and its clock."""
    clock, channel = Clock(), Channel()
    channel.factory = type("Factory", (), {"server": type("Server", (), {"protocol_connected": lambda *_: None})()})()
    channel.requestFactory = LimitedRequest
    channel.callLater = clock.callLater
    channel.timeOut = None
    channel.makeConnection(StringTransport())
    return clock, channel


@pytest.mark.parametrize(
    "begin",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"],
    ids=["first line", "headers", "body"],
)
def test_request_that_arrives_byte_by_byte_times_out(dripping, begin):
    clock, channel = dripping
    channel.dataReceived(begin)
    for _ in range(int(REQUEST_TIMEOUT) // 10 + 1):
        assert not channel.transport.disconnecting
        clock.advance(10)
        if channel.transport.disconnected:
            return
        channel.dataReceived(b"x")
    pytest.fail("it is still open")


def server_with(tmp_path, **given):
    """Start a server in a folder of its own and let it end at once; returns its output."""
    port = servers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "chatapp.server"],
        cwd=BASE_DIR, env=environment.server_environment(str(tmp_path), PORT=port, **given), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    with process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith(servers.READY):
                process.terminate()
        return "".join(lines)


def test_process_with_another_secret_key_is_reported(server, tmp_path):
    servers.share_static_files(tmp_path)
    output = server_with(tmp_path, SECRET_KEY="k" * 40)
    assert "another SECRET_KEY" in output
    assert servers.READY in output
    assert "another SECRET_KEY" not in server.output
