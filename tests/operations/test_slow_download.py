"""A long download waits in the database for a slow client, not in memory, and breaks off when it fails."""

import asyncio
from unittest.mock import Mock

from twisted.internet.testing import StringTransport

from chatapp.http_protocol import Channel, LimitedRequest

TURNS = 20


def connection():
    """A request on a connection that reports when its buffer is full."""
    channel = Channel()
    channel.factory = Mock(server=Mock(server_name=""))
    channel.makeConnection(StringTransport())
    return channel, LimitedRequest(channel)


async def finishes(waiting):
    """Whether it ends within some turns of the loop."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return waiting.done()


async def waits_while_full():
    channel, request = connection()
    await request.wait_until_writable()
    channel.pauseProducing()
    waiting = asyncio.ensure_future(request.wait_until_writable())
    held = not await finishes(waiting)
    channel.resumeProducing()
    return held, await finishes(waiting)


async def ends_with_the_connection():
    channel, request = connection()
    await request.wait_until_writable()
    channel.pauseProducing()
    waiting = asyncio.ensure_future(request.wait_until_writable())
    channel.stopProducing()
    return await finishes(waiting)


def test_export_waits_until_the_client_has_read():
    assert asyncio.run(waits_while_full()) == (True, True)


def test_export_does_not_wait_for_a_closed_client():
    assert asyncio.run(ends_with_the_connection())


def test_failure_during_an_export_breaks_the_connection():
    """Otherwise half a file would look complete."""
    channel, request = connection()
    request.handle_reply({"type": "http.response.start", "status": 200, "headers": []})
    request.handle_exception(OSError("the database went away"))
    assert channel.transport.disconnected
    assert channel.transport.value() == b""
