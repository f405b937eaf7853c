"""The provider is read only when pages may get their next frame, and no text is lost."""

import asyncio
import time
import uuid

import msgspec
import pytest

from conversations.delivery import flush_interval
from conversations.delivery.broadcast import Broadcast
from conversations.providers.client import ProviderClient
from conversations.providers.endpoints import Endpoint
from tests.support import generations
from tests.support.pausing_reader import PausingReader
from tests.support.polling import eventually

BURST = [f"word{number} " for number in range(400)]


async def test_connection_is_not_read_between_two_frames(provider):
    exchange = provider.expect()
    sink, upstream = PausingReader(), ProviderClient(Endpoint(provider.url, "key"))
    turns = [{"role": "user", "content": exchange.prompt}]
    reading = asyncio.create_task(upstream.stream("alpha-model", turns, sink))
    await asyncio.to_thread(exchange.wait_opened)
    exchange.stream(iter(BURST), 1000)
    await asyncio.to_thread(exchange.wait_written, 300)
    await asyncio.to_thread(exchange.finish)
    await reading
    await upstream.close()
    assert sink.text == exchange.text
    assert sink.times < len(exchange.written) / 5


def test_buffered_data_is_read_before_the_end(alice, answering):
    """The last tokens and the end of the stream arrive together while nobody reads."""
    a = answering(alice)
    for word in BURST[:50]:
        a.exchange.write_tokens(word)
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == a.exchange.text


def test_broken_connection_loses_no_complete_line(alice, answering):
    a = answering(alice)
    for word in BURST[:50]:
        a.exchange.write_tokens(word)
    a.exchange.cut()
    assert a.asked.outcome == ("error", "truncated")
    assert generations.text(a.asked) == a.exchange.text


def test_interval_follows_the_load():
    assert flush_interval.stretch(0.0) == flush_interval.stretch(flush_interval.IDLE_SHARE) == 1
    assert (
        flush_interval.stretch(flush_interval.BUSY_SHARE) == flush_interval.stretch(1.0) == flush_interval.MAX_STRETCH
    )
    between = [flush_interval.stretch(share / 100) for share in range(101)]
    assert between == sorted(between)


class Page:
    """Keeps the frames that it receives."""

    language = "en"

    def __init__(self):
        self.frames = []

    def offer(self, frame, message):
        self.frames.append(msgspec.json.decode(frame))
        return True


async def test_data_read_when_a_frame_is_due_is_in_that_frame():
    """The timers of the page and of the provider's connection fire together while text may be waiting."""
    page, answer = Page(), Broadcast(uuid.uuid4(), uuid.uuid4())
    answer.subscribe(page)
    answer.feed("One")
    time.sleep(answer.feed(" two"))  # noqa: ASYNC251  the loop shall not do what is due by then
    answer.feed(" three")
    assert [(frame["keep"], frame["tail"]) for frame in page.frames[1:]] == [
        (0, "<p>One</p>\n"),
        (6, " two three</p>\n"),
    ]


async def test_pending_text_is_shown_without_further_reads():
    page, answer = Page(), Broadcast(uuid.uuid4(), uuid.uuid4())
    answer.subscribe(page)
    answer.feed("One")
    answer.feed(" two")
    async with asyncio.timeout(5):
        while len(page.frames) < 3:
            await asyncio.sleep(0.01)
    assert page.frames[-1]["tail"] == " two</p>\n"


def test_load_is_the_cpu_time_of_this_thread():
    wall, cpu = time.monotonic(), time.thread_time()
    busy = flush_interval.LoopLoad()
    while time.thread_time() < cpu + 0.05:
        pass
    busy.sample()
    share = (time.thread_time() - cpu) / (time.monotonic() - wall)
    seen = busy.share
    assert seen == pytest.approx(flush_interval.SMOOTHING * share, rel=0.2)
    eventually(lambda: (busy.sample(), busy.share)[1] < seen / 4, "the load of a thread that sleeps")
