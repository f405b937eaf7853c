"""Misbehaving pages are refused or closed, and do not slow down other people's Stop."""

import asyncio
import json
import socket as sockets
from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.faults import measurements
from tests.support.faults.checker import Checker
from tests.support.faults.crowd import Crowd, Page
from tests.support.faults.server_resources import Resources, wait_released
from tests.support.faults.steady_provider import Plan
from tests.support.sockets import Socket

OTHERS = 10
HALF_OPEN = 500
HANDSHAKE = "GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


async def stops_beside(server, steady, people, abuse):
    """Run `abuse(crowd)` while others stream and then stop; returns the crowd and the duration of each Stop."""
    async with Crowd(server, people) as crowd:
        streams = await crowd.ask(Plan() for _ in people)
        abusing = asyncio.create_task(abuse(crowd))
        await asyncio.sleep(0.5)
        for stream in streams:
            await stream.stop()
            await asyncio.sleep(0.05)
        await asyncio.gather(*(stream.ended() for stream in streams))
        await abusing
        answers = [steady.wait_closed(stream.plan.prompt) for stream in streams]
        return crowd, [answer.closed_at - stream.stopped_at for answer, stream in zip(answers, streams, strict=True)]


def check(steady, crowd):
    answers = [answer for stream in crowd.streams for answer in steady.asked(stream.plan.prompt)]
    rows = Checker(answers, crowd.all_pages).settle().check()
    assert {row.reason for row in rows.values()} == {"stopped"}


FLOODS = {
    "commands": json.dumps({"op": "watch", "conversation": None}),
    "no JSON": "x" * 1000,
    "binary": b"\x00" * 1000,
    "nested 10,000 deep": "[" * 10_000,
    "acknowledgements": json.dumps({"op": "ack", "received": 10**12}),
}


@pytest.mark.parametrize(
    "kind", ["no JSON", *(pytest.param(each, marks=pytest.mark.long) for each in FLOODS if each != "no JSON")]
)
def test_thousand_frames_a_second_slow_nobody(busy, steady, crowd_of, kind):
    people = crowd_of(OTHERS + 5)
    codes = []

    async def flood(page):
        with suppress(ConnectionClosed):
            for _ in range(40):
                for _ in range(50):
                    await page.connection.send(FLOODS[kind])
                await asyncio.sleep(0.05)
        codes.append(await page.closed())

    async def abuse(crowd):
        pages = [await Page(person, busy).open() for person in people[OTHERS:]]
        await asyncio.gather(*(flood(page) for page in pages))

    crowd, closed = asyncio.run(stops_beside(busy, steady, people[:OTHERS], abuse))
    assert set(codes) == {4429}
    measurements.note_times(f"1,000 frames/s ({kind}) from each of 5 pages: others' Stop → upstream closed", closed)
    assert max(closed) < 1
    check(steady, crowd)


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param("", marks=pytest.mark.long),
        pytest.param("GET /ws/ HT", marks=pytest.mark.long),
        "half of the headers",
        pytest.param("the other side never reads", marks=pytest.mark.long),
    ],
)
def test_half_open_sockets_slow_nobody(busy, steady, crowd_of, opening):
    before = Resources.measure(busy, steady.port)
    people = crowd_of(OTHERS)
    start = HANDSHAKE.format(port=busy.port) if opening.startswith(("half", "the")) else opening
    if opening.startswith("the"):
        start += (
            f"Origin: {busy.url}\r\nCookie: {people[0].cookie}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    with ExitStack() as stack:

        async def abuse(crowd):
            for number in range(HALF_OPEN):
                each = stack.enter_context(sockets.create_connection(busy.address))
                each.sendall(start.encode())
                if number % 50 == 0:
                    await asyncio.sleep(0)

        crowd, closed = asyncio.run(stops_beside(busy, steady, people, abuse))
    measurements.note_times(f"{HALF_OPEN} half-open sockets ({opening!r}): others' Stop → upstream closed", closed)
    assert max(closed) < 1
    check(steady, crowd)
    wait_released(busy, before, steady.port)


def test_fragmented_megabyte_closes_the_socket(alice, socket, answering):
    """The message exceeds the limit, each of its fragments does not."""
    a = answering(alice)
    page = socket(alice)
    with suppress(ConnectionClosed):
        page.connection.send("x" * 60_000 for _ in range(18))
    assert page.wait_closed() in (1006, 1009)  # still sending, it may miss the close frame
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")


@pytest.mark.parametrize("flood", ["pings", "fragments"])
def test_flood_of_control_frames_closes_the_socket(alice, socket, answering, flood):
    a = answering(alice)
    page = socket(alice)
    with suppress(ConnectionClosed):
        if flood == "pings":
            for _ in range(10_000):
                page.connection.ping()
        else:
            page.connection.send("" for _ in range(10_000))
    assert page.wait_closed() in (1006, 4429)
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")


def test_socket_of_an_expired_session_is_refused(alice, server):
    Session.objects.filter(session_key=alice.session).update(expire_date=timezone.now() - timedelta(seconds=1))
    page = Socket(alice, server.ws_url, origin=server.url)
    assert page.wait_closed() == 4401
    assert page.events == []


@pytest.mark.parametrize("path", ["", "other/", "../ws/other"])
def test_socket_at_an_unknown_path_is_refused(alice, server, path):
    address = f"{server.ws_url}x/{path}"
    with pytest.raises((InvalidStatus, ConnectionClosed, AssertionError)):
        Socket(alice, address, origin=server.url).wait("hello", timeout=2)
    assert "Traceback" not in server.output
