"""An answer ends when the last page that shows it closes, and not before."""

import pytest

from conversations.models import Generation
from tests.support import generations
from tests.support.polling import eventually
from tests.support.provider.endless import CLOSE_LIMIT, RATE, endless


@pytest.mark.parametrize("code", [1000, 1001])
def test_closed_tab_closes_the_providers_socket(alice, answering, code):
    a = answering(alice)
    a.exchange.stream(endless(), RATE).wait_written(10)
    a.page.close(code)
    left = a.page.closed_at
    assert a.exchange.wait_closed() - left < CLOSE_LIMIT
    assert a.exchange.tokens_after(left) <= CLOSE_LIMIT * RATE
    assert generations.outcome(a.asked) == ("interrupted", "left")


def test_leaving_keeps_the_text_so_far(alice, answering):
    a = answering(alice, "Bees ", "hum")
    a.page.close()
    assert generations.text(a.asked) == "Bees hum"
    page = alice.get(f"/c/{a.asked.conversation}/")
    assert "Bees hum" in page.text
    assert "Stopped because the page was closed." in page.text


def test_leaving_before_the_provider_responds_stops_it(alice, socket, provider):
    exchange = provider.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt)
    exchange.wait_opened()
    generation = asked.generation
    page.close()
    exchange.wait_closed(CLOSE_LIMIT)
    assert generations.outcome(generation) == ("interrupted", "left")


def test_leaving_right_after_asking_stops_it(alice, socket, provider):
    page = socket(alice)
    page.ask(provider.expect().prompt)
    page.close()
    rows = Generation.objects.filter(requested_by=alice.user)
    assert eventually(lambda: rows.exclude(status="streaming").first(), "the end").end_reason == "left"


def test_closing_one_of_two_tabs_changes_nothing(alice, answering, socket):
    a = answering(alice)
    other = socket(alice)
    other.watch(a.asked.conversation)
    a.exchange.stream(endless(), RATE)
    a.page.close()
    a.exchange.wait_written(len(a.exchange.written) + RATE)
    assert not a.exchange.closed
    assert other.wait("delta", after=len(other.events), generation=a.asked.generation)
    other.close()
    a.exchange.wait_closed(CLOSE_LIMIT)
    assert generations.outcome(a.asked.generation) == ("interrupted", "left")


def test_showing_another_conversation_does_not_leave_the_answer(alice, answering):
    a = answering(alice)
    a.page.watch(None)
    a.exchange.write_tokens(" on")
    a.page.watch(a.asked.conversation)
    a.asked.wait_text("Bees hum on")
    a.page.watch(None)
    a.page.close()
    a.exchange.wait_closed(CLOSE_LIMIT)
    assert generations.outcome(a.asked) == ("interrupted", "left")


def test_answer_waits_for_a_page_for_the_grace_period(start_server, alice, answering, socket):
    server = start_server(CHAT_LEAVE_GRACE=30)
    a = answering(alice.at(server))
    a.page.close()
    a.exchange.write_tokens(" alone")
    other = socket(alice.at(server)).subscribe(a.asked)
    a.exchange.write_tokens(" no more").finish()
    assert other.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert generations.text(a.asked.generation) == "Bees hum alone no more"
