"""A silent provider times out; one that works without sending text gets more time."""

import time

import pytest

from tests.support import generations
from tests.support.servers import running

SILENCE = 0.4
WORDLESS = 2.2
LIMITS = {
    "CHAT_FIRST_TOKEN_TIMEOUT": 1.5,
    "CHAT_SILENCE_TIMEOUT": SILENCE,
    "CHAT_WORDLESS_TIMEOUT": WORDLESS,
    "CHAT_MODELS": "alpha-model",
}
BUSY = 0.5
"""Additional seconds for a busy machine."""

SIGNS = (
    b'data: {"choices": [{"delta": {"reasoning_content": "Hmm"}}]}\n\n',
    b": PROCESSING\n\n",
    b'data: {"choices": [], "prompt_progress": {"total": 7000, "processed": 512}}\n\n',
)


@pytest.fixture(scope="module")
def brisk(database, provider):
    with running(OPENAI_BASE_URL=provider.url, **LIMITS) as server:
        yield server


@pytest.fixture
def asking(unanswered, alice, brisk):
    return unanswered(alice.at(brisk))


def keep_alive(seconds, *exchanges):
    """Show signs of life more often than the limit requires, of one kind in each answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not any(exchange.closed for exchange in exchanges):
        for exchange, sign in zip(exchanges, SIGNS, strict=False):
            exchange.write_raw(sign)
        exchanges[-1]._closed.wait(SILENCE / 6)


@pytest.mark.parametrize("into", [0, 0.5, 1.6])
def test_silence_is_noticed_at_any_point_of_an_answer(asking, into):
    """Also where the silence begins before the timeout for the first token has passed."""
    asked, exchange = asking
    exchange.write_tokens("Bees ")
    until = time.monotonic() + into
    while time.monotonic() < until:
        exchange.write_tokens("hum ")
        exchange._closed.wait(SILENCE / 6)
    last = time.monotonic()
    assert exchange.wait_closed() - last < SILENCE + BUSY
    assert asked.outcome == ("error", "timed_out")
    assert generations.get(asked).detail.startswith("silent for 0.")


def test_signs_of_life_without_text_extend_the_timeout(alice, brisk, socket, provider):
    """The provider reports that it reasons, is queued or processes the prompt."""
    exchanges = [provider.expect() for _ in SIGNS]
    asked = [socket(alice.at(brisk)).ask(exchange.prompt) for exchange in exchanges]
    keep_alive(LIMITS["CHAT_FIRST_TOKEN_TIMEOUT"] + 0.3, *exchanges)
    for exchange in exchanges:
        exchange.write_tokens("Bees.").finish()
    assert {each.outcome for each in asked} == {("complete", "finished")}


def test_signs_of_life_without_text_time_out_eventually(asking):
    asked, exchange = asking
    asked_at = time.monotonic()
    keep_alive(3 * WORDLESS, exchange)
    assert WORDLESS - BUSY < exchange.wait_closed() - asked_at < WORDLESS + BUSY
    assert asked.outcome == ("error", "timed_out")
    assert "no text in 2.2 s" in generations.get(asked).detail


def test_reasoning_during_an_answer_is_not_silence(asking):
    asked, exchange = asking
    exchange.write_tokens("Bees ")
    keep_alive(2 * SILENCE, exchange)
    exchange.write_tokens("hum.").finish()
    assert asked.outcome == ("complete", "finished")


def test_silence_after_signs_of_life_is_noticed(asking):
    asked, exchange = asking
    keep_alive(LIMITS["CHAT_FIRST_TOKEN_TIMEOUT"], exchange)
    last = time.monotonic()
    assert exchange.wait_closed() - last < SILENCE + BUSY
    assert asked.outcome == ("error", "timed_out")
