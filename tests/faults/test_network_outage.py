"""The network fails silently: nothing arrives any more, and no connection ends. All tests use the default settings."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.support import generations, people
from tests.support.faults import measurements
from tests.support.faults.checker import Checker
from tests.support.polling import eventually
from tests.support.provider.endless import RATE, endless
from tests.support.servers import REPOSITORY

CLOSE_LIMIT = 6.5
"""Seconds of silence after which the provider's socket is closed: 4 without an acknowledgement, then 2 of grace."""
SLACK = 1.5
"""Additional seconds for a busy machine."""
GRACE = 2.0


@pytest.fixture
def through(server, answering, proxy):
    """Begin an answer whose page connects through its own proxy; returns (answering, proxy)."""

    def begin():
        between = proxy(server)
        a = answering(people.new_person("somebody", server), via=between)
        a.exchange.stream(endless(), RATE).wait_written(RATE)
        return a, between

    return begin


@pytest.mark.timeout(300)
def test_silent_network_loss_stops_the_answer(through, long):
    """All cases run at the same time, as they share only the server."""
    begun = [through() for _ in range(20 if long else 4)]
    took = []
    silent = {}
    for a, between in begun:
        between.silence()
        silent[a.asked.generation] = time.monotonic()
    for a, _between in begun:
        took.append(a.exchange.wait_closed(20) - silent[a.asked.generation])
        assert generations.outcome(a.asked.generation) == ("interrupted", "connection_lost")
        before = "".join(token for token, at in a.exchange.written if at < a.exchange.closed_at - 0.2)
        assert generations.text(a.asked.generation).startswith(before)
    measurements.note_times("network silently gone → upstream closed", took)
    assert max(took) < CLOSE_LIMIT + SLACK
    Checker([a.exchange for a, _ in begun], [a.page for a, _ in begun]).settle().check()


@pytest.mark.long
def test_network_back_within_the_grace_period_loses_nothing(through, socket, provider):
    """One page returns on the same connection, one on a new connection; neither misses anything."""
    (a, healed), (b, dead) = through(), through()
    healed.silence()
    dead.silence()
    silent = time.monotonic()
    eventually(lambda: time.monotonic() - silent > 4 + GRACE / 4, "silent for longer than the acknowledgement timeout")
    healed.resume()
    back = socket(b.page.person)
    back.watch(b.asked.conversation)
    back.wait("snapshot", generation=b.asked.generation)
    b.exchange.wait_written(len(b.exchange.written) + int(RATE * (GRACE + 1)))
    for exchange, page, generation in (
        (a.exchange, a.page, a.asked.generation),
        (b.exchange, back, b.asked.generation),
    ):
        exchange.finish()
        assert page.wait("end", generation=generation)["status"] == "complete"
        assert page.text(generation) == exchange.text.strip()
        assert len(provider.asked(exchange.prompt)) == 1
    Checker([a.exchange, b.exchange], [a.page, b.page, back]).settle().check()


# --- dropped packets -------------------------------------------------------------------------------------------------

NAMES = "chat-host", "chat-page"
HOST, PAGE = "10.231.77.1", "10.231.77.2"


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)


@pytest.fixture
def namespace():
    """A network namespace connected to this one by a pair of interfaces; skips the test where that is not allowed."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root and the program `ip`")
    name = f"chat-{os.getpid()}"
    try:
        ip("netns", "add", name)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"no network namespace can be made here: {error}")
    try:
        ip("link", "add", NAMES[0], "type", "veth", "peer", "name", NAMES[1], "netns", name)
        ip("addr", "add", f"{HOST}/24", "dev", NAMES[0])
        ip("link", "set", NAMES[0], "up")
        ip("-n", name, "addr", "add", f"{PAGE}/24", "dev", NAMES[1])
        ip("-n", name, "link", "set", NAMES[1], "up")
        yield name
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the namespace cannot be joined to the network: {error.stderr.decode().strip()}")
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


PAGE_PROGRAM = """
import json, sys, time
from websockets.sync.client import connect
url, origin, cookie, prompt = sys.argv[1:]
with connect(url, origin=origin, additional_headers={"Cookie": cookie}, proxy=None, ping_interval=None) as socket:
    socket.recv()
    socket.send(json.dumps({"op": "send", "id": "018f4f4e-0000-7000-8000-00000000abcd", "content": prompt}))
    received, acked = 1, 0.0
    while True:
        event = json.loads(socket.recv())
        received += 1
        print(json.dumps(event), flush=True)
        if event["op"] == "ping" or time.monotonic() - acked > 1:
            acked = time.monotonic()
            socket.send(json.dumps({"op": "ack", "received": received}))
"""


@contextmanager
def page_in(namespace, server, person, prompt):
    """A page's socket in a process inside the namespace; yields its events as they arrive."""
    command = ["ip", "netns", "exec", namespace, sys.executable, "-c", PAGE_PROGRAM]
    address = f"ws://{HOST}:{server.port}/ws/"
    with subprocess.Popen(
        [*command, address, server.overrides["ALLOWED_ORIGINS"], person.cookie, prompt],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.long
@pytest.mark.timeout(120)
def test_dropped_packets_stop_the_answer(namespace, start_server, provider):
    """Without a proxy: the operating system drops every packet, and neither side notices."""
    server = start_server(HOST=HOST, ALLOWED_ORIGINS=f"http://{HOST}")
    person = people.new_person("somebody", server)
    exchange = provider.expect()
    with page_in(namespace, server, person, exchange.prompt) as page:
        exchange.stream(endless(), RATE).wait_written(RATE)
        generation = next(event["generation"] for event in map(json.loads, page.stdout) if event["op"] == "delta")
        ip("-n", namespace, "link", "set", NAMES[1], "down")
        silent = time.monotonic()
        took = exchange.wait_closed(20) - silent
    measurements.note_times("packets dropped in a network namespace → upstream closed", [took])
    assert took < CLOSE_LIMIT + SLACK
    assert generations.outcome(generation) == ("interrupted", "connection_lost")
    Checker([exchange], [], generations=[generation]).settle().check()
