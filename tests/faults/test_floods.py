"""Pages that request a long conversation over and over cost little and do not slow others down."""

import asyncio
import json
import socket as sockets
import statistics
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conversations.models import Conversation, Message
from tests.support.faults import measurements
from tests.support.faults.crowd import Crowd, Page
from tests.support.faults.server_resources import Resources
from tests.support.faults.steady_provider import Plan
from tests.support.polling import eventually
from tests.support.sockets import Socket

LENGTH = 390_000
MAX_GROWTH = 5_000_000
"""Bytes by which the server's memory may grow for a page that does not read."""
FLOODING = 3
BURST = 90
"""Frames that a page may send in one burst."""
RATE = 45
ASKED = 12
SLACK = 0.02
"""Additional seconds for a busy machine."""


def long_conversation(person):
    made = Conversation.objects.create(owner=person.user, title="Long")
    question = Message.objects.create(conversation=made, role="user", content="Tell me everything")
    paragraph = "Bees hum about their hive all day long and nobody knows why they do. " * 10
    text = f"{paragraph}\n\n" * (LENGTH // len(paragraph))
    answer = Message.objects.create(conversation=made, parent=question, role="assistant", content=text)
    made.show(answer.pk)
    return str(made.pk)


def watch(conversation):
    return json.dumps({"op": "watch", "conversation": conversation})


def narrow_page(person, server):
    """A page with a tiny receive buffer."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect(server.address)
    headers = {"Cookie": person.cookie}
    return connect(
        server.ws_url, sock=raw, origin=server.url, additional_headers=headers, compression=None, max_size=None,
        max_queue=1, ping_interval=None, close_timeout=0.1,
    )  # fmt: skip


def warm_up(person, server, frame):
    """Make the server render the conversation, so that its threads already hold the memory they need."""
    page = Socket(person, server.ws_url, origin=server.url)
    page.wait("hello")
    for number in range(1, 10):
        page.send_raw(frame)
        eventually(lambda number=number: page.count("transcript") == number, "the conversation")
    page.close()


@pytest.mark.parametrize("watches", [150, pytest.param(300, marks=pytest.mark.long)])
def test_subscribing_without_reading_has_bounded_cost(busy, crowd_of, watches):
    person = crowd_of(1)[0]
    conversation = long_conversation(person)
    frame = watch(conversation)
    warm_up(person, busy, frame)
    with narrow_page(person, busy) as page, suppress(ConnectionClosed):
        page.recv()
        before = peak = Resources.measure(busy).memory
        for number in range(watches):
            page.send(frame)
            if number > BURST:
                time.sleep(1 / RATE)
                peak = max(peak, Resources.measure(busy).memory)
    measurements.note(
        f"{watches} watches of {LENGTH} bytes that nobody reads", f"memory {(peak - before) / 1024:+.0f} KiB"
    )
    assert peak - before < MAX_GROWTH


async def flood(page, frame):
    """Send as many frames as a page may send, until the server closes the connection."""
    with suppress(ConnectionClosed):
        while True:
            await page.connection.send(frame)
            await asyncio.sleep(1 / RATE)


async def seconds_to_transcripts(page):
    """The time from asking to the transcript, each time in a new conversation."""
    taken = []
    for _ in range(ASKED):
        began = time.monotonic()
        stream = await page.ask(Plan())
        await stream.begun()
        taken.append(time.monotonic() - began)
        await stream.stop()
        await stream.ended()
    return taken


@pytest.mark.parametrize("reads", [True, pytest.param(False, marks=pytest.mark.long)], ids=["reading", "not reading"])
def test_flooding_pages_do_not_slow_others(busy, steady, crowd_of, reads):
    person, other = crowd_of(2)
    frame = watch(long_conversation(person))

    async def scenario():
        async with Crowd(busy, [other]) as crowd:
            quiet = await seconds_to_transcripts(crowd.pages[0])
            pages = [await Page(person, busy).open() for _ in range(FLOODING)]
            for page in pages:
                page.acknowledges = reads
                await page.send("watch", conversation=json.loads(frame)["conversation"])
                await page.wait("transcript")
                if not reads:
                    page.stall()
            floods = [asyncio.create_task(flood(page, frame)) for page in pages]
            flooded = await seconds_to_transcripts(crowd.pages[0])
            for task in floods:
                task.cancel()
            await asyncio.gather(*floods, return_exceptions=True)
            for page in pages:
                page.connection.transport.abort()
                page.resume()
            return quiet, flooded

    quiet, flooded = asyncio.run(scenario())
    kind = "read" if reads else "do not read"
    measurements.note_times("ask → transcript while it is quiet", quiet)
    measurements.note_times(f"ask → transcript beside {FLOODING} pages that flood and {kind}", flooded)
    assert statistics.median(flooded) < 2 * statistics.median(quiet) + SLACK
