"""An idle process leaves the database alone and still reacts at once to a new prompt."""

from datetime import timedelta

import pytest

from conversations.models import Generation, ServerProcess
from conversations.rules.status import EndReason
from tests.support import generations
from tests.support.polling import eventually
from tests.support.servers import running

MIN_INTERVAL = timedelta(seconds=1.5)


@pytest.fixture(scope="module")
def idle(database, provider):
    with running(OPENAI_BASE_URL=provider.url) as server:
        yield server


def renewed(server):
    return ServerProcess.objects.get(pid=server.process.pid).renewed_at


def tick_interval(server):
    """The time between two ticks."""
    first = renewed(server)
    second = eventually(lambda: (at := renewed(server)) != first and at, "a tick")
    return eventually(lambda: (at := renewed(server)) != second and at, "another tick") - second


def test_idle_process_ticks_rarely(idle):
    assert tick_interval(idle) > MIN_INTERVAL


def test_idle_process_notices_a_stop_once_something_streams(idle, alice, answering):
    assert tick_interval(idle) > MIN_INTERVAL
    a = answering(alice.at(idle))
    Generation.objects.filter(pk=a.asked.generation).update(stop_reason=EndReason.STOPPED_BY_ADMIN)
    a.exchange.wait_closed(1)
    assert generations.outcome(a.asked) == ("interrupted", "stopped_by_admin")
