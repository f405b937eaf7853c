"""Stop closes a TLS connection as fast as a plain one, whatever the provider does."""

import time

import pytest

from tests.support import generations
from tests.support.provider.endless import endless
from tests.support.provider.tls import SilentTls
from tests.support.servers import running

CLOSE_LIMIT = 1.0
"""Seconds. An orderly TLS shutdown would take thirty."""


@pytest.fixture(scope="module")
def deaf(provider):
    front = SilentTls(provider)
    yield front
    front.stop()


@pytest.fixture(scope="module")
def far(database, deaf):
    """A server that reaches its provider over TLS."""
    with running(OPENAI_BASE_URL=deaf.url, SSL_CERT_FILE=deaf.certificate, CHAT_MODELS="alpha-model") as server:
        yield server


def stop_and_see(asked, exchange):
    stopped_at = asked.stop()
    assert asked.outcome == ("interrupted", "stopped")
    took = exchange.wait_closed() - stopped_at
    assert took < CLOSE_LIMIT
    return took


def test_stop_while_it_streams(alice, far, answering):
    a = answering(alice.at(far), "Bees ", "hum ")
    a.exchange.stream(endless(), 50)
    a.exchange.wait_written(10)
    stop_and_see(a.asked, a.exchange)


def test_stop_while_it_is_silent(alice, far, answering):
    a = answering(alice.at(far))
    stop_and_see(a.asked, a.exchange)
    assert generations.text(a.asked) == "Bees hum"


def test_stop_before_it_responds(alice, far, socket, provider):
    exchange = provider.expect()
    asked = socket(alice.at(far)).ask(exchange.prompt)
    exchange.wait_opened()
    stop_and_see(asked, exchange)


def test_generation_records_when_the_connection_closed(alice, far, answering):
    a = answering(alice.at(far))
    asked_at, clock = time.monotonic(), time.time()
    stop_and_see(a.asked, a.exchange)
    generation = generations.wait_ended(a.asked)
    closed = a.exchange.closed_at - asked_at + clock
    assert abs(generation.upstream_closed_at.timestamp() - closed) < CLOSE_LIMIT


def test_connection_of_a_complete_answer_is_reused(alice, far, answering, socket, provider):
    """It saves a handshake before the first word of the next answer."""
    a = answering(alice.at(far))
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    second = provider.expect()
    asked = a.page.ask(second.prompt)
    second.write_tokens("Again.").finish()
    assert asked.outcome == ("complete", "finished")
    assert not a.exchange.closed
