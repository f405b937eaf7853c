"""A page whose network fails counts as gone after a while, and loses nothing if it returns in time."""

import pytest

from tests.support import generations
from tests.support.provider.endless import RATE, endless
from tests.support.servers import running

ACK_TIMEOUT, GRACE = 1.0, 2.0


@pytest.fixture(scope="module")
def wary(database, provider):
    """A server that quickly notices silence."""
    settings = {"CHAT_ACK_TIMEOUT": ACK_TIMEOUT, "CHAT_RECONNECT_GRACE": GRACE}
    with running(OPENAI_BASE_URL=provider.url, **settings) as server:
        yield server


@pytest.fixture
def through(alice, wary, answering, proxy):
    """A streaming answer whose page connects through a proxy: (answering, proxy)."""
    between = proxy(wary)
    a = answering(alice.at(wary), via=between)
    a.exchange.stream(endless(), RATE).wait_written(10)
    return a, between


def test_silent_page_closes_the_providers_socket(through):
    a, between = through
    between.silence()
    silent = a.exchange.written[-1][1]
    closed = a.exchange.wait_closed()
    assert ACK_TIMEOUT + GRACE - 1 < closed - silent < ACK_TIMEOUT + GRACE + 3
    assert generations.outcome(a.asked.generation) == ("interrupted", "connection_lost")
    kept = generations.text(a.asked.generation)
    assert a.exchange.text.startswith(kept)
    unread = a.exchange.text[len(kept) :].split()  # arrived, but not stored, because no page could have had it yet
    assert len(unread) < RATE / 2


def test_page_back_within_the_grace_period_loses_nothing(through, alice, wary, socket):
    a, between = through
    between.silence()
    a.exchange.wait_written(len(a.exchange.written) + int(RATE * (ACK_TIMEOUT + GRACE / 4)))
    back = socket(alice.at(wary)).subscribe(a.asked)
    a.exchange.wait_written(len(a.exchange.written) + int(RATE * GRACE))
    a.exchange.finish()
    assert back.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert back.text(a.asked.generation) == a.exchange.text.strip()
    assert generations.text(a.asked.generation) == a.exchange.text


def test_network_back_within_the_grace_period_loses_nothing(through):
    a, between = through
    between.silence()
    a.exchange.wait_written(len(a.exchange.written) + int(RATE * ACK_TIMEOUT / 2))
    between.resume()
    a.exchange.wait_written(len(a.exchange.written) + RATE)
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    assert a.asked.text == a.exchange.text.strip()


@pytest.mark.parametrize("how", ["reset", "half_close"])
def test_reset_connection_counts_as_a_closed_tab(through, how):
    a, between = through
    getattr(between, how)()
    a.exchange.wait_closed(ACK_TIMEOUT)
    assert generations.outcome(a.asked.generation) == ("interrupted", "left")


def test_silent_page_stops_the_answer_before_the_first_token(alice, wary, socket, provider, proxy):
    between = proxy(wary)
    exchange = provider.expect()
    asked = socket(alice.at(wary), via=between).ask(exchange.prompt)
    exchange.wait_opened()
    generation = asked.generation
    between.silence()
    exchange.wait_closed(30)
    assert generations.outcome(generation) == ("interrupted", "connection_lost")


def test_slow_network_is_not_a_lost_one(alice, wary, answering, proxy):
    between = proxy(wary)
    between.delay(0.2)
    a = answering(alice.at(wary), via=between)
    a.exchange.stream(endless(), RATE).wait_written(int(RATE * (ACK_TIMEOUT + GRACE)))
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")


def test_page_that_does_not_acknowledge_counts_as_gone(alice, wary, answering):
    a = answering(alice.at(wary))
    a.page.mute()
    a.exchange.stream(endless(), RATE)
    a.exchange.wait_closed()
    assert generations.outcome(a.asked.generation) == ("interrupted", "connection_lost")


def test_late_stop_gets_the_end_of_ones_own_answer_only(through, alice, bob, wary, socket):
    a, between = through
    between.silence()
    assert generations.outcome(a.asked.generation) == ("interrupted", "connection_lost")
    foreign = socket(bob.at(wary))
    foreign.stop(generation=a.asked.generation)
    foreign.wait_refused("not_found")
    assert not generations.get(a.asked.generation).stopped_offline
    back = socket(alice.at(wary))
    for _ in range(2):
        back.stop(generation=a.asked.generation)
        assert back.wait("standing", generation=a.asked.generation)["reason"] == "connection_lost"
    back.watch(a.asked.conversation, a.asked.message, "streaming")
    assert "You stopped this answer while you were offline" in back.wait("transcript")["html"]
    generation = generations.get(a.asked.generation)
    assert (generation.stop_reason, generation.stopped_by) == ("stopped", alice.user)
    assert generations.outcome(a.asked.generation) == ("interrupted", "connection_lost")
