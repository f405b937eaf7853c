"""The task that reads from a provider can be cancelled at each of its awaits.

After each cancellation the provider's socket is closed or was never opened, no task is left, and the text is a prefix
of what the provider wrote.
"""

import asyncio
import time
import uuid
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any

import psutil
import pytest

from conversations.commands import start_transaction
from conversations.commands.planned_messages import Requester
from conversations.generation.stored_start import Started
from conversations.models import Generation
from conversations.protocol.commands import Send
from conversations.providers.catalog.model_catalog import catalog
from conversations.providers.client import ProviderClient
from conversations.providers.endpoints import Endpoint
from conversations.rules.status import EndReason
from conversations.storage.db_threads import in_database
from tests.support import people
from tests.support.faults import measurements
from tests.support.faults.checker import Checker
from tests.support.faults.steady_provider import Plan

MAX_AWAITS = 200
"""The highest await that a test tries to cancel; a stream of a few tokens has far fewer."""
CLOSED_WITHIN = 1.0


class CancelAt(Coroutine[Any, Any, Any]):
    """Runs a coroutine and calls `act` at its `number`-th suspension: at once, or when the awaited result has arrived
    but the coroutine has not yet resumed."""

    def __init__(self, inner: Coroutine[Any, Any, Any], number: int, when: str, act: Any) -> None:
        self.inner = inner
        self.number = number
        self.when = when
        self.act = act
        self.suspended = 0

    @property
    def acted(self) -> bool:
        return self.suspended >= self.number

    def send(self, value: Any) -> Any:
        return self._count(self.inner.send(value))

    def throw(self, *error: Any) -> Any:
        return self._count(self.inner.throw(*error))

    def close(self) -> None:
        self.inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self.inner.__await__())

    def _count(self, waits_for: Any) -> Any:
        self.suspended += 1
        if self.suspended == self.number:
            if self.when == "with the result" and waits_for is not None:
                waits_for.add_done_callback(lambda _: self.act())
            else:
                asyncio.get_running_loop().call_soon(self.act)
        return waits_for


class Text:
    """Collects what a stream delivers."""

    def __init__(self) -> None:
        self.text = ""
        self.reasons: list[str] = []

    def opened(self) -> None: ...
    def alive(self) -> None: ...
    def usage(self, tokens_in: int | None, tokens_out: int | None) -> None: ...

    def batch_read(self) -> float:
        return 0.0

    def delta(self, text: str, chunks: int) -> None:
        self.text += text

    def finished(self, reason: str) -> None:
        self.reasons.append(reason)


def sockets_to(port: int) -> int:
    return sum(
        1
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and each.raddr.port == port and each.status == psutil.CONN_ESTABLISHED
    )


async def no_sockets_to(port: int) -> float:
    """Wait until no socket to the port is left; returns the seconds."""
    began = time.monotonic()
    while sockets_to(port):
        assert time.monotonic() - began < CLOSED_WITHIN, "the socket to the provider is still open"
        await asyncio.sleep(0.005)
    return time.monotonic() - began


async def others() -> set[asyncio.Task[Any]]:
    """All tasks except this one, after those that are about to end have ended."""
    for _ in range(20):
        await asyncio.sleep(0)
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.fixture
def plan():
    return lambda: Plan(rate=200, tokens=4, headers=0.01, first=0.01)


@pytest.mark.parametrize("when", ["at once", "with the result"])
async def test_cancelling_the_provider_stream_at_every_await(steady, plan, when):
    for number in range(1, MAX_AWAITS):
        before = await others()
        provider, text, asked = ProviderClient(Endpoint(steady.url, "key")), Text(), plan()
        stream = provider.stream("alpha-model", [{"role": "user", "content": asked.prompt}], text)
        reading = CancelAt(stream, number, when, lambda: task.cancel())  # noqa: B023  its task is made below
        task = asyncio.create_task(reading)
        with suppress(asyncio.CancelledError):
            await task
        finished = False
        if steady.asked(asked.prompt):
            answer = await asyncio.to_thread(steady.wait_closed, asked.prompt, CLOSED_WITHIN)
            assert answer.text.startswith(text.text)
            finished = answer.finished_at is not None  # then its socket may stay open for the next request
        if not finished:
            await no_sockets_to(steady.port)
        await provider.close()
        await no_sockets_to(steady.port)
        assert await others() == before
        if not reading.acted:
            assert text.reasons == ["stop"]
            measurements.note(
                f"cancel at every await of the stream, {when}", f"{number - 1} awaits, every socket closed"
            )
            return
    pytest.fail("the stream never ran through")


@pytest.mark.parametrize("when", ["at once", "with the result"])
async def test_cancelling_a_generation_at_every_await(supervisor, steady, server, plan, when):
    """Stops at every await of the reading task: the generation ends once, saved, with the text that arrived before."""
    loop = asyncio.get_running_loop()
    person = await in_database(people.new_person, "alice", server)
    asker = Requester(person.user, supervisor.process, catalog.offered)
    prompts = []
    try:
        for number in range(1, MAX_AWAITS):
            asked = plan()
            prompts.append(asked.prompt)
            command = Send(id=uuid.uuid4(), content=asked.prompt)
            started = await in_database(start_transaction.start_generation, asker, command)
            assert isinstance(started, Started)
            readers = []

            def make(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
                if getattr(coroutine, "__qualname__", "") == "ProviderReader._read":
                    stop = lambda: live.stop(EndReason.STOPPED)  # noqa: B023, E731
                    readers.append(CancelAt(coroutine, number, when, stop))  # noqa: B023
                    coroutine = readers[0]  # noqa: B023
                return asyncio.Task(coroutine, loop=loop, **options)

            loop.set_task_factory(make)
            live = supervisor.launch(started, person.user.pk, command.id)
            assert live.task
            await live.task
            loop.set_task_factory(None)
            assert not supervisor.live
            if not readers[0].acted:
                break
            assert live.lifecycle.outcome
        else:
            pytest.fail("the reader never ran through")
    finally:
        loop.set_task_factory(None)
    measurements.note(f"Stop at every await of the reader, {when}", f"{number - 1} awaits, each ended once")
    await in_database(_check, steady, prompts)


def _check(steady, prompts):
    answers = [answer for prompt in prompts for answer in steady.asked(prompt)]
    keys = Generation.objects.filter(message__parent__content__in=prompts).values_list("pk", flat=True)
    stored = Checker(answers, [], generations=[str(key) for key in keys]).settle().check()
    assert len(stored) == len(prompts)
    by_prompt = {each.prompt: each for each in stored.values()}
    assert by_prompt[prompts[-1]].reason == "finished"
    assert {by_prompt[prompt].reason for prompt in prompts[:-1]} <= {"stopped", "finished"}
    assert by_prompt[prompts[0]].reason == "stopped"
