"""A page that stops reading, or a provider that writes too fast, affects nobody else."""

import asyncio
import json
import time
from functools import partial

import psutil
import pytest

from tests.support import generations
from tests.support.faults import measurements
from tests.support.faults.checker import Checker
from tests.support.faults.crowd import Crowd, Page
from tests.support.faults.server_resources import Resources
from tests.support.faults.steady_provider import Plan
from tests.support.polling import eventually
from tests.support.protocol_rules import Event

MAX_UNREAD = 262_144
CLOSE_LIMIT = 10.0
FAST = 1000
HEAVY = partial(Plan, rate=FAST, more=200)
"""Words so long that 256 KiB arrive within seconds."""


def received(events: list[Event]) -> int:
    """What these frames count in the send window, in bytes: no frame counts for more than half of the limit."""
    sizes = (len(json.dumps(dict(event.fields), ensure_ascii=False)) for event in events)
    return sum(min(size, MAX_UNREAD // 2) for size in sizes)


def connected(server, page):
    """Whether the server still holds this page's connection."""
    return any(
        each.raddr and each.raddr.port == page.port and each.status == psutil.CONN_ESTABLISHED
        for each in psutil.Process(server.process.pid).net_connections("tcp")
    )


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param(True, id="does not acknowledge"),
        pytest.param(False, id="does not read", marks=pytest.mark.long),
    ],
)
def test_page_that_stops_reading_is_closed(busy, steady, crowd_of, reads):
    """Another page keeps reading the same answer, so it continues; other people's Stop is as fast as ever."""
    people = crowd_of(21)

    async def scenario():
        async with Crowd(busy, people) as crowd:
            fast = (await crowd.ask([HEAVY()]))[0]
            others = [await page.ask(Plan()) for page in crowd.pages[1:]]
            crowd.streams += others
            await asyncio.gather(*(other.begun() for other in others))
            slow = await Page(people[0], busy).open()
            crowd.gone.append(slow)
            await slow.send("watch", conversation=fast.conversation)
            await slow.wait("snapshot")
            before = Resources.measure(busy).memory
            stalled, read = time.monotonic(), len(slow.events)
            slow.acknowledges = False
            if not reads:
                slow.stall()
            while connected(busy, slow) and time.monotonic() - stalled < CLOSE_LIMIT + 2:
                if others and time.monotonic() - stalled > 2:
                    await others.pop().stop()
                await asyncio.sleep(0.1)
            closed_after = time.monotonic() - stalled
            while others:
                await others.pop().stop()
            grown = Resources.measure(busy).memory - before
            slow.resume()
            code = await slow.closed()
            await fast.stop()
            await asyncio.gather(*(page.wait_idle() for page in crowd.pages))
            return crowd, code, closed_after, grown, received(slow.events[read:])

    crowd, code, closed_after, grown, got = asyncio.run(scenario())
    assert closed_after < CLOSE_LIMIT + 1
    assert code == 1013 if reads else code in (1013, 1006)
    assert got < MAX_UNREAD * 1.1
    stops = [each for each in crowd.streams[1:] if each.stopped_at]
    closed = [steady.wait_closed(each.plan.prompt).closed_at - each.stopped_at for each in stops]
    assert max(closed) < 1
    case = "page that does not acknowledge" if reads else "page that does not read"
    text = f"sent {got / 1024:.0f} KiB, closed {code} after {closed_after:.1f} s"
    measurements.note(case, f"{text}, memory {grown / 1024:+.0f} KiB with 21 streams")
    measurements.note_times(f"{case}: others' Stop → upstream closed", closed)
    answers = [answer for each in crowd.streams for answer in steady.asked(each.plan.prompt)]
    Checker(answers, crowd.all_pages).settle().check()


def test_page_catches_up_when_it_reads_again(busy, steady, crowd_of):
    """Frames that did not fit are not sent later one by one: the page gets a new snapshot."""

    async def scenario():
        async with Crowd(busy, crowd_of(1)) as crowd:
            page = crowd.pages[0]
            stream = (await crowd.ask([HEAVY()]))[0]
            page.acknowledges = False
            await page.wait_for(lambda: page.silence() > 1)  # full, so the server sends it nothing more
            page.acknowledges = True
            seen = len(page.events)
            await page.wait_for(lambda: any(event.op == "snapshot" for event in page.events[seen:]))
            await stream.stop()
            await stream.ended()
            return crowd

    crowd = asyncio.run(scenario())
    answers = [answer for each in crowd.streams for answer in steady.asked(each.plan.prompt)]
    rows = Checker(answers, crowd.all_pages).settle().check()
    assert {row.reason for row in rows.values()} == {"stopped"}


@pytest.mark.parametrize("streams", [pytest.param(1, marks=pytest.mark.long), 5])
def test_thousand_tokens_a_second_do_not_slow_others(busy, steady, crowd_of, streams):
    """The page gets few frames with all of the text, and Stop works at once."""
    seconds = 3

    async def scenario():
        async with Crowd(busy, crowd_of(streams)) as crowd:
            asked = await crowd.ask(Plan(rate=FAST) for _ in range(streams))
            await asyncio.sleep(seconds)
            frames = [len(page.events) / seconds for page in crowd.pages]
            for stream in asked:
                await stream.stop()
            await asyncio.gather(*(stream.ended() for stream in asked))
            return crowd, frames

    crowd, frames = asyncio.run(scenario())
    answers = [answer for each in crowd.streams for answer in steady.asked(each.plan.prompt)]
    rows = Checker(answers, crowd.all_pages).settle().check()
    closed = [
        steady.wait_closed(each.plan.prompt).closed_at - each.stopped_at for each in crowd.streams if each.stopped_at
    ]
    least = min(len(row.text) for row in rows.values()) // len("w1000 ")
    measurements.note_times(f"{streams} × 1,000 tokens/s: Stop → upstream closed", closed)
    measurements.note(
        f"{streams} × 1,000 tokens/s", f"{max(frames):.0f} frames/s a page, {least} tokens in {seconds} s"
    )
    assert max(frames) < 40
    assert max(closed) < 1
    assert least > FAST * seconds / 2


def test_lagging_page_still_gets_the_end(alice, answering):
    a = answering(alice)
    generation = a.asked.generation
    a.page.mute()
    for _ in range(8):
        a.exchange.write_tokens("- " + "word " * 8000 + "\n")
    a.exchange.finish()
    eventually(lambda: generations.outcome(generation) == ("complete", "finished"), "the end is saved")
    a.page.unmute()

    def ended():
        events = [event for event in list(a.page.events) if event.op in ("end", "transcript")]
        return events[-1].op == "end" or 'data-status="complete"' in events[-1]["html"]

    eventually(ended, "the end on the page, itself or by a transcript")
