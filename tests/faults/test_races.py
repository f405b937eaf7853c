"""Of two actions at the same moment one wins, and every page sees the same result."""

import asyncio
import random
import uuid

import pytest

from tests.support import generations
from tests.support.faults import measurements
from tests.support.faults.checker import Checker
from tests.support.faults.crowd import Crowd
from tests.support.faults.steady_provider import Plan
from tests.support.generations import stop_path

TOKENS, RATE = 3, 50


class Aim:
    """Chooses when to press Stop, in seconds after the prompt, so that about every second Stop comes too late."""

    def __init__(self) -> None:
        self.delay = 0.15
        self.step = 0.02

    def __call__(self) -> float:
        return max(0.0, self.delay + random.uniform(-0.005, 0.005))

    def learn(self, *, too_late: bool) -> None:
        self.delay = max(0.02, self.delay + (-self.step if too_late else self.step))
        self.step = max(0.001, self.step * 0.97)


@pytest.mark.timeout(1800)
def test_stop_at_the_last_token(busy, steady, crowd_of, long):
    """The answer is `complete` only with all its text and a finish reason; otherwise it is `stopped` with a part of
    it."""
    times, width = (10_000, 20) if long else (200, 10)
    outcomes = {"finished": 0, "stopped": 0}
    aim, left, streams = Aim(), list(range(times)), []

    async def one(page):
        while left:
            left.pop()
            stream = await page.ask(Plan(rate=RATE, tokens=TOKENS))
            streams.append(stream)
            await asyncio.sleep(aim())
            await stream.stop(by_command=True)
            await page.wait_idle()
            ends = [event for event in page.events[-8:] if event.op in ("end", "standing")]
            aim.learn(too_late=any(event["status"] == "complete" for event in ends))

    async def scenario():
        async with Crowd(busy, crowd_of(width)) as crowd:
            await asyncio.gather(*(one(page) for page in crowd.pages))
            crowd.streams = streams
            return crowd

    crowd = asyncio.run(scenario())
    answers = [answer for stream in streams for answer in steady.asked(stream.plan.prompt)]
    rows = Checker(answers, crowd.all_pages, generations=crowd.generations).settle(60).check()
    assert len(rows) == times
    for row in rows.values():
        outcomes[row.reason] += 1
        if row.reason == "finished":
            assert steady.asked(row.prompt)[0].finished_at is not None
            assert row.text == "w1 w2 w3 "
    measurements.note("Stop and last token at the same moment", f"{times} times, one end each: {outcomes}")
    assert min(outcomes.values()) > times / 10


def test_twenty_concurrent_stops_end_it_once(alice, answering, socket, provider):
    """Two pages and the form stop the same answer."""
    a = answering(alice)
    other = socket(alice)
    other.watch(a.asked.conversation)
    for _ in range(9):
        a.page.stop(generation=a.asked.generation)
        other.stop(id=a.asked.id)
    for _ in range(2):
        assert alice.post(stop_path(a.asked.generation)).status == 302
    a.exchange.wait_closed(1)
    assert a.asked.outcome == ("interrupted", "stopped")
    other.wait("end", generation=a.asked.generation)
    assert a.page.count("stopping") == other.count("stopping") == 1
    assert a.page.count("refused") == other.count("refused") == 0
    Checker([a.exchange], [a.page, other]).settle().check()


def test_stop_for_an_older_generation_leaves_the_newer_one_alone(alice, answering, provider):
    """The click is for an answer that a new version has replaced in the meantime."""
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    following = provider.expect(a.exchange.prompt)
    again = a.page.regenerate(a.asked.message)
    following.write_tokens("Better ", "bees")
    again.wait_text("bees")
    for which in ({"generation": a.asked.generation}, {"id": a.asked.id}):
        assert a.page.wait("standing", after=a.page.stop(**which))["generation"] == a.asked.generation
    following.write_tokens(" hum").finish()
    assert again.outcome == ("complete", "finished")
    rows = Checker([a.exchange, following], [a.page]).settle().check()
    assert rows[again.generation].text == "Better bees hum"


@pytest.mark.parametrize("by", ["generation", "id"])
def test_stop_and_new_prompt_at_once(alice, answering, provider, by):
    """Stop, then immediately the next prompt: the old answer is stopped, the new one is not."""
    a = answering(alice)
    generation = a.asked.generation
    following = provider.expect()
    a.page.stop(**({"generation": generation} if by == "generation" else {"id": a.asked.id}))
    asked = a.page.ask(following.prompt, after=a.asked)
    a.page.stop(generation=generation)
    following.write_tokens("Next.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.outcome(generation) == ("interrupted", "stopped")
    Checker([a.exchange, following], [a.page]).settle().check()


def test_stop_after_a_new_prompt_leaves_it_alone(alice, answering, provider):
    a = answering(alice)
    generation = a.asked.generation
    following = provider.expect()
    asked = a.page.ask(following.prompt, after=a.asked)
    a.page.stop(generation=generation)
    following.write_tokens("Next.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.outcome(generation)[0] == "interrupted"
    Checker([a.exchange, following], [a.page]).settle().check()


def test_prompt_immediately_followed_by_stop(busy, steady, crowd_of):
    """Both frames arrive before the prompt is in the database."""

    async def scenario():
        async with Crowd(busy, crowd_of(20)) as crowd:
            for _ in range(5):
                streams = [await page.ask(Plan()) for page in crowd.pages]
                crowd.streams += streams
                await asyncio.gather(*(stream.stop(by_command=True) for stream in streams))
                await asyncio.gather(*(page.wait_idle() for page in crowd.pages))
            return crowd

    crowd = asyncio.run(scenario())
    answers = [answer for stream in crowd.streams for answer in steady.asked(stream.plan.prompt)]
    rows = Checker(answers, crowd.all_pages, generations=crowd.generations).settle().check()
    assert len(rows) == 100
    assert {row.reason for row in rows.values()} == {"stopped"}


def test_same_prompt_twice_and_one_stop(alice, socket, provider):
    """A page that lost its socket sends the prompt again and stops it: one answer, one request, one stop."""
    exchange = provider.expect()
    first, second = socket(alice), socket(alice)
    command, conversation = str(uuid.uuid4()), None
    for page in (first, second):
        page.send("send", id=command, conversation=conversation, content=exchange.prompt)
    second.stop(id=command)
    transcript = first.wait("transcript", id=command)
    generation = generations.get(str(transcript["generation"])) if transcript["generation"] else None
    if generation is not None:
        assert generations.outcome(str(generation.pk)) == ("interrupted", "stopped")
    assert len(provider.asked(exchange.prompt)) <= 1
    Checker([exchange], [first, second]).settle().check()


def test_stop_and_sign_out_at_once(alice, answering):
    """Whichever comes first determines the reason; the answer ends once, and nothing is written afterwards."""
    a = answering(alice)
    generation = a.asked.generation
    a.page.stop(generation=generation)
    assert alice.post("/accounts/logout/").status == 302
    a.exchange.wait_closed(1)
    assert generations.outcome(generation) == ("interrupted", "stopped")
    Checker([a.exchange], [a.page]).settle().check()
