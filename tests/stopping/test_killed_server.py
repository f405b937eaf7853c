"""The answers of a killed server are ended by another process or by its next start."""

import time

import pytest

from tests.support import generations
from tests.support.people import words
from tests.support.polling import eventually
from tests.support.provider.endless import endless

LEASE = 2
MAX_LOSS = 0.5
"""The last seconds of text, which may be lost."""


def written_before(exchange, moment):
    return "".join(token for token, at in exchange.written if at < moment)


@pytest.fixture
def killed(start_server, alice, answering):
    """Returns (generation, exchange, server, moment) of an answer whose server was killed while it streamed."""
    server = start_server(CHAT_LEASE=LEASE)
    a = answering(alice.at(server))
    generation = a.asked.generation
    a.exchange.stream(endless(), 50).wait_written(60)
    moment = time.monotonic()
    server.kill()
    a.exchange.wait_closed()
    return generation, a.exchange, server, moment


def assert_kept(generation, exchange, moment):
    assert generations.outcome(generation, timeout=LEASE + 15) == ("interrupted", "server_lost")
    kept = generations.text(generation)
    assert exchange.text.startswith(kept)
    assert kept.startswith(written_before(exchange, moment - MAX_LOSS))


def test_next_start_ends_the_answers(killed, alice):
    generation, exchange, server, moment = killed
    again = server.again()
    try:
        assert_kept(generation, exchange, moment)
        conversation = generations.get(generation).conversation
        page = alice.at(again).get(f"/c/{conversation.pk}/")
        assert 'data-status="interrupted"' in page.html
        assert "The server restarted" in page.text
    finally:
        again.stop()


def test_another_process_ends_the_answers(killed, server):
    generation, exchange, _, moment = killed
    assert_kept(generation, exchange, moment)


def test_answer_of_a_killed_server_can_be_continued(killed, alice, server, socket, provider):
    generation, exchange, _, _ = killed
    kept = generations.text(eventually(lambda: generations.outcome(generation, LEASE + 15) and generation))
    page = socket(alice)
    rest = provider.expect(exchange.prompt)
    asked = page.continue_(str(generations.get(generation).message_id))
    rest.write_tokens("the end.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.text(asked) == kept + "the end."


@pytest.mark.long
def test_frozen_process_writes_nothing_after_its_lease(start_server, server, alice, answering):
    frozen = start_server(CHAT_LEASE=LEASE)
    a = answering(alice.at(frozen))
    generation = a.asked.generation
    frozen.freeze()
    assert generations.outcome(generation, timeout=LEASE + 15) == ("interrupted", "server_lost")
    kept = generations.text(generation)
    a.exchange.write_tokens(" too", " late")
    frozen.thaw()
    a.exchange.wait_closed()
    shown = a.page.wait("transcript", generation=None)
    assert kept in words(shown["html"])
    assert "late" not in a.page.story()
    assert generations.text(generation) == kept
