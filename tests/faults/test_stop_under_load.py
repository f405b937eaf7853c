"""With a hundred streams at once, every Stop reaches the provider in time."""

import asyncio
import random
import time

import psutil
import pytest

from tests.support import people
from tests.support.faults import measurements, postgres_server
from tests.support.faults.checker import Checker
from tests.support.faults.crowd import Crowd, Page, Stream
from tests.support.faults.server_resources import Resources, wait_released
from tests.support.faults.steady_provider import NEVER, Plan

STREAMS = 100
LIMIT = 3.0
"""Seconds that a Stop may take on the slowest machine; the printed figures show the real value."""


def check(steady, crowd):
    """Check the invariants for everything that these pages saw."""
    prompts = {stream.plan.prompt for stream in crowd.streams}
    answers = [answer for answer in steady.answers if answer.prompt in prompts]
    return Checker(answers, crowd.all_pages, generations=crowd.generations).settle().check()


def seconds_to_close(steady, streams):
    """The seconds from each Stop until the provider's socket was closed."""
    return [steady.wait_closed(stream.plan.prompt).closed_at - stream.stopped_at for stream in streams]


async def seconds_to_end(streams):
    """The seconds from each Stop until the page got the end."""
    ends = await asyncio.gather(*(stream.ended() for stream in streams))
    return [end.at - stream.stopped_at for end, stream in zip(ends, streams, strict=True)]


async def stop_and_ask_again(stream: Stream) -> Stream:
    await stream.stop()
    await stream.ended()
    return await stream.page.ask(Plan())


def test_stop_beside_a_hundred_streams(busy, steady, crowd_of, long):
    """Ten Stops a second, each followed by a new prompt, so that a hundred answers always stream; then all at once."""
    before = Resources.measure(busy, steady.port)
    process = psutil.Process(busy.process.pid)
    stops = STREAMS if long else STREAMS // 4

    async def scenario():
        async with Crowd(busy, crowd_of(STREAMS)) as crowd:
            streams = await crowd.ask(Plan() for _ in range(STREAMS))
            await asyncio.gather(*(stream.wait_flowing() for stream in streams))
            process.cpu_percent()
            again = []
            for stream in random.sample(streams, stops):
                again.append(asyncio.create_task(stop_and_ask_again(stream)))
                await asyncio.sleep(0.1)
            measurements.note(
                "100 streams × 20 tokens/s, 10 Stops/s", f"the server takes {process.cpu_percent():.0f} % CPU"
            )
            following = await asyncio.gather(*again)
            crowd.streams += following
            stopped = [stream for stream in streams if stream.stopped_at]
            shown, closed = await seconds_to_end(stopped), seconds_to_close(steady, stopped)
            await asyncio.gather(*(stream.begun() for stream in following))
            following += [stream for stream in streams if not stream.stopped_at]
            await asyncio.gather(*(stream.wait_flowing() for stream in following))
            await asyncio.gather(*(stream.stop() for stream in following))
            return crowd, shown, closed, await seconds_to_end(following), seconds_to_close(steady, following)

    crowd, shown, closed, shown_at_once, closed_at_once = asyncio.run(scenario())
    measurements.note_times("Stop → upstream closed, 100 streams × 20 tokens/s", closed)
    measurements.note_times("Stop → final state on the page, 100 streams × 20 tokens/s", shown)
    measurements.note_times("100 Stops in one burst → upstream closed", closed_at_once)
    measurements.note_times("100 Stops in one burst → final state on the page", shown_at_once)
    assert max(closed + shown + closed_at_once + shown_at_once) < LIMIT
    stored = check(steady, crowd)
    assert len(stored) == STREAMS + stops
    assert {each.reason for each in stored.values()} == {"stopped"}
    wait_released(busy, before, steady.port)


@pytest.mark.parametrize(
    ("case", "plan"),
    [
        ("before the headers", {"headers": NEVER}),
        ("before the first token", {"first": NEVER}),
        ("silent after some tokens", {"tokens": 5, "finish": ""}),
    ],
)
def test_stop_of_a_hundred_silent_requests(busy, steady, crowd_of, long, case, plan):
    """A read that would never return is cancelled like any other."""
    count = STREAMS if long else 30

    async def scenario():
        async with Crowd(busy, crowd_of(count)) as crowd:
            streams = await crowd.ask(Plan(**plan) for _ in range(count))
            for stream in streams:
                await asyncio.to_thread(steady.answer, stream.plan.prompt)
            for stream in random.sample(streams, count):
                await stream.stop()
                await asyncio.sleep(0.02)
            return crowd, await seconds_to_end(streams), seconds_to_close(steady, streams)

    crowd, shown, closed = asyncio.run(scenario())
    measurements.note_times(f"Stop → upstream closed, {case}", closed)
    assert max(closed + shown) < LIMIT
    assert {each.reason for each in check(steady, crowd).values()} == {"stopped"}


async def ask_and_stop(page: Page, burst: float) -> Stream:
    plan = Plan(
        rate=random.choice((5, 20, 200)),
        tokens=random.choice((1, 10, 40, 1_000_000)),
        headers=random.choice((0, 0, 0.05, 0.3)),
        first=random.choice((0, 0, 0.05, 0.3)),
    )
    stream = await page.ask(plan)
    slow = random.random() < 0.1
    if slow:
        page.acknowledges = False
        page.stall()
    await asyncio.sleep(random.choice((0, burst, 0.1 + random.random() * 0.5, random.random() * 2)))
    await stream.stop(by_command=True)
    if slow:
        page.resume()
        page.acknowledges = True
    return stream


@pytest.mark.timeout(600)
def test_stop_at_random_moments(busy, steady, crowd_of, long):
    """From before the request is sent until after the last token; in bursts or alone, by command or by generation, some
    on pages that do not read."""
    rounds, width = (20, 50) if long else (2, 50)
    closed, outcomes = [], {"stopped": 0, "finished": 0}

    async def scenario():
        async with Crowd(busy, crowd_of(width)) as crowd:
            for _ in range(rounds):
                burst = random.random()
                streams = await asyncio.gather(*(ask_and_stop(page, burst) for page in crowd.pages))
                crowd.streams += streams
                await asyncio.gather(*(page.wait_idle() for page in crowd.pages))
            return crowd

    crowd = asyncio.run(scenario())
    stored = check(steady, crowd)
    by_prompt = {each.prompt: each for each in stored.values()}
    for stream in crowd.streams:
        each = by_prompt[stream.plan.prompt]
        outcomes[each.reason] += 1
        if each.reason == "stopped" and (answers := steady.asked(stream.plan.prompt)):
            closed.append(answers[0].closed_at - stream.stopped_at)
        if stream.plan.tokens == Plan.tokens:  # this one never ends by itself
            assert each.reason == "stopped"
    measurements.note_times(f"{rounds * width} Stops at random moments → upstream closed", closed)
    measurements.note("Stops at random moments", f"0 lost of {rounds * width}: {outcomes}")
    assert max(closed) < LIMIT
    assert outcomes["stopped"] > rounds * width / 3


def test_stop_while_the_database_is_frozen(start_server, steady, long):
    """Streaming answers stop at once. A prompt that waits for the database and is stopped meanwhile is never sent to
    the provider."""
    with postgres_server.own_postgres() as postgres:
        server = start_server(DATABASE_URL=postgres.url, OPENAI_BASE_URL=steady.url, CHAT_MAX_CONCURRENT=1000)
        askers = [people.new_person("crowd", server) for _ in range(35)]
        crowd, closed, saving, shown = asyncio.run(
            _stop_in_a_frozen_database(server, askers, postgres, steady, 5.0 if long else 1.5)
        )
        stored = check(steady, crowd)
    measurements.note_times("Stop → upstream closed, PostgreSQL frozen", closed)
    measurements.note_times("Stop → “saving…” on the page, PostgreSQL frozen", saving)
    measurements.note_times("PostgreSQL back → final state on the page", shown)
    assert max(closed) < LIMIT
    assert max(shown) < LIMIT
    assert {each.reason for each in stored.values()} == {"stopped"}
    assert len(stored) == 35
    assert sum(bool(steady.asked(stream.plan.prompt)) for stream in crowd.streams) == 30


async def _stop_in_a_frozen_database(server, askers, postgres, steady, seconds):
    async with Crowd(server, askers) as crowd:
        *pages, _, _, _, _, _ = crowd.pages
        streams = await crowd.ask(Plan() for _ in pages)
        await asyncio.sleep(0.5)
        postgres.freeze()
        began = time.monotonic()
        for stream in streams:
            await stream.stop()
            await asyncio.sleep(0.02)
        waiting = [await page.ask(Plan()) for page in crowd.pages[len(pages) :]]
        for stream in waiting:
            await stream.stop(by_command=True)
        crowd.streams += waiting
        closed = await asyncio.to_thread(seconds_to_close, steady, streams)
        saving = [(await stream.page.wait("saving")).at - stream.stopped_at for stream in streams]
        assert not any(event.op == "end" for page in crowd.pages for event in page.events)
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        postgres.thaw()
        thawed = time.monotonic()
        shown = [(await stream.ended()).at - thawed for stream in streams]
        await asyncio.gather(*(page.wait_idle() for page in crowd.pages))
        return crowd, closed, saving, shown
