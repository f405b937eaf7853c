"""Stop closes the provider's socket at once and keeps the text so far."""

import uuid

from conversations.models import Generation
from tests.support import generations
from tests.support.provider.endless import CLOSE_LIMIT, RATE, endless


def test_stop_closes_the_providers_socket(alice, answering):
    a = answering(alice)
    a.exchange.stream(endless(), RATE).wait_written(10)
    pressed = a.asked.stop()
    closed = a.exchange.wait_closed()
    assert closed - pressed < CLOSE_LIMIT
    assert a.exchange.tokens_after(pressed) <= CLOSE_LIMIT * RATE
    assert a.asked.outcome == ("interrupted", "stopped")
    assert "You stopped this answer." in a.asked.end["note"]


def test_keeps_the_words_already_written(alice, answering):
    a = answering(alice, "Bees ", "**hum**")
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")
    assert generations.text(a.asked) == "Bees **hum**"
    assert a.asked.text == "Bees hum"
    page = alice.get(f"/c/{a.asked.conversation}/")
    assert "<strong>hum</strong>" in page.html
    assert "You stopped this answer." in page.text


def test_records_when_stop_was_requested_and_completed(alice, answering):
    a = answering(alice)
    a.asked.stop()
    generation = generations.wait_ended(a.asked)
    assert generation.stop_requested_at <= generation.upstream_closed_at <= generation.ended_at
    assert (generation.usage_source, generation.tokens_out > 0) == ("estimated", True)


def test_stop_is_shown_on_every_viewing_page(alice, answering, socket):
    a = answering(alice)
    other = socket(alice)
    other.watch(a.asked.conversation)
    a.asked.stop()
    assert other.wait("stopping", generation=a.asked.generation)
    assert other.wait("end", generation=a.asked.generation)["reason"] == "stopped"


def test_stop_before_the_first_token(alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.send_headers()
    pressed = asked.stop()
    assert exchange.wait_closed() - pressed < CLOSE_LIMIT
    assert asked.outcome == ("interrupted", "stopped")
    assert "Nothing was written." in asked.end["note"]
    assert generations.text(asked) == ""


def test_stop_before_the_provider_responds(alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.wait_opened()
    pressed = asked.stop()
    assert exchange.wait_closed() - pressed < CLOSE_LIMIT
    assert asked.outcome == ("interrupted", "stopped")
    assert generations.get(asked).opened_at is None
    generation = generations.wait_ended(asked)
    assert generation.stop_requested_at <= generation.upstream_closed_at <= generation.ended_at


def test_stop_by_command_before_its_generation_is_known(alice, socket, provider):
    exchange = provider.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt)
    page.stop(id=asked.id)
    assert asked.outcome == ("interrupted", "stopped")
    assert generations.outcome(asked) == ("interrupted", "stopped")
    for each in provider.asked(exchange.prompt):
        assert exchange.request is each
        exchange.wait_closed()


def test_stop_by_command_when_its_generation_is_known(alice, answering):
    a = answering(alice)
    a.page.stop(id=a.asked.id)
    a.exchange.wait_closed()
    assert a.asked.outcome == ("interrupted", "stopped")


def test_stopping_twice_is_one_stop(alice, answering):
    a = answering(alice)
    a.asked.stop()
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")
    a.page.watch(a.asked.conversation)
    assert a.page.count("end") == 1
    assert a.page.count("refused") == 0


def test_stopping_an_ended_answer_returns_its_final_state(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    position = a.page.stop(generation=a.asked.generation)
    standing = a.page.wait("standing", after=position, generation=a.asked.generation)
    assert (standing["status"], standing["reason"]) == ("complete", "finished")
    assert standing["message"] == a.asked.message
    by_command = a.page.wait("standing", after=a.page.stop(id=a.asked.id))
    assert by_command.fields == {**standing.fields, "id": a.asked.id}
    assert generations.outcome(a.asked) == ("complete", "finished")


def test_other_peoples_answer_cannot_be_stopped(alice, bob, answering, socket):
    a = answering(alice)
    page = socket(bob)
    for generation in (a.asked.generation, str(uuid.uuid4())):
        refused = page.wait_refused("not_found", after=page.stop(generation=generation))
        assert refused.fields == {**refused.fields, "id": None, "refers": "stop"}
    sentences = {event["sentence"] for event in page.events if event.op == "refused"}
    assert len(sentences) == 1
    assert not a.exchange.closed
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")


def test_socket_keeps_working_after_a_stop(alice, answering, provider):
    a = answering(alice)
    a.asked.stop()
    assert a.asked.end
    following = provider.expect()
    asked = a.page.ask(following.prompt, after=a.asked)
    following.write_tokens("Again.").finish()
    assert asked.outcome == ("complete", "finished")
    assert Generation.objects.filter(conversation=asked.conversation).count() == 2
