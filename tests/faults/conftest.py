"""Fixtures of the fault tests: a steady provider, a server for a hundred streams, and people."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from conversations.generation.supervisor import Supervisor
from conversations.operations import periodic_tasks
from conversations.rendering import worker
from tests.support import people
from tests.support.faults import measurements
from tests.support.faults.steady_provider import SteadyProvider
from tests.support.people import Person
from tests.support.servers import Server, running


@pytest.fixture(scope="session")
def steady() -> Iterator[SteadyProvider]:
    provider = SteadyProvider()
    yield provider
    provider.stop()


@pytest.fixture
async def supervisor(
    database: Any, steady: SteadyProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Supervisor]:
    """A supervisor in the test's own process, like a server's. At its end it leaves the render worker running for the
    other tests of the process."""
    settings.OPENAI_BASE_URL = steady.url
    settings.CHAT_MODELS = ["alpha-model"]
    monkeypatch.setattr(worker, "close", lambda: None)
    supervisor = Supervisor()
    await supervisor.start(periodic_tasks.create_all)
    yield supervisor
    await supervisor.drain()


@pytest.fixture(scope="session")
def busy(database, steady) -> Iterator[Server]:
    """A server for many streams, which must log no traceback."""
    limits = {"CHAT_MAX_CONCURRENT": 1000, "CHAT_MAX_ANSWERS_PER_MINUTE": 100_000, "CHAT_MAX_ANSWER": 10_000_000}
    with running(OPENAI_BASE_URL=steady.url, **limits) as server:
        yield server
        assert "Traceback" not in server.output, server.output


@pytest.fixture(scope="session")
def crowd_of(busy) -> Callable[[int], Sequence[Person]]:
    """The first `count` of a growing list of people, the same for every test."""
    gathered: list[Person] = []

    def gather(count: int) -> Sequence[Person]:
        while len(gathered) < count:
            gathered.append(people.new_person("crowd", busy))
        return gathered[:count]

    return gather


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = measurements.lines()
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)
