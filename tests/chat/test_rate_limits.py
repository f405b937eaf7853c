"""One person's pages and messages are limited: more are refused with a sentence, and nobody else is affected."""

from contextlib import suppress

import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosed

from conversations.rules.send_window import OVERFLOW_FACTOR
from tests.support import generations, people, servers
from tests.support.polling import eventually
from tests.support.sockets import Socket

PAGES = 3
ANSWERS = 4
LONG = 100_000


@pytest.fixture(scope="module")
def strict(database, provider):
    limits = {"CHAT_MAX_SOCKETS": PAGES, "CHAT_MAX_ANSWERS_PER_MINUTE": ANSWERS}
    with servers.running(OPENAI_BASE_URL=provider.url, CHAT_TITLES="true", **limits) as server:
        yield server
    assert "Traceback" not in server.output, server.output


@pytest.fixture
def alice(strict):
    return people.new_person("alice", strict)


@pytest.fixture
def bob(strict):
    return people.new_person("bob", strict)


def answered(page, provider, **options):
    """Ask and let the provider answer; returns the command."""
    exchange = provider.expect()
    asked = page.ask(exchange.prompt, **options)
    exchange.write_tokens("Yes.").finish()
    assert asked.outcome == ("complete", "finished")
    return asked


def with_its_title(page, provider):
    exchange = provider.expect()
    asked = page.ask(exchange.prompt)
    title = provider.expect(exchange.prompt)
    exchange.write_tokens("Yes.").finish()
    assert asked.outcome == ("complete", "finished")
    title.write_tokens("A title").finish()
    page.wait("activity", title="A title")
    return asked


def test_page_over_the_limit_connects_when_another_closes(alice, bob, socket, strict):
    pages = [socket(alice) for _ in range(PAGES)]
    refused = Socket(alice, strict.ws_url, origin=strict.url)
    assert refused.wait_closed() == 4429
    (event,) = refused.events
    assert (event.op, event["code"]) == ("refused", "too_many_pages")
    assert str(PAGES) in event["sentence"]
    assert pages[0].watch(None)
    assert socket(bob).watch(None)
    pages[0].close()

    def comes_in():
        page = Socket(alice, strict.ws_url, origin=strict.url)
        eventually(lambda: page.events, "a first event")
        page.close()
        return page.events[0].op == "hello"

    eventually(comes_in, "the next page connects")


def test_message_over_the_limit_says_when_to_retry(alice, bob, socket, provider):
    page = socket(alice)
    first = with_its_title(page, provider)  # two of the four
    answered(page, provider, after=first)
    last = answered(page, provider, after=first)
    refused = page.wait_refused("too_fast", id=page.ask("One more", after=first).id, refers="send")
    assert str(ANSWERS) in refused["sentence"]
    page.wait_refused("too_fast", id=page.regenerate(last.message).id, refers="regenerate")
    assert page.watch(first.conversation, head=last.message, status="complete")
    answered(socket(bob), provider)


def test_repeated_command_counts_once(alice, socket, provider):
    page = socket(alice)
    asked = answered(page, provider)
    for _ in range(ANSWERS + 1):
        page.wait("transcript", after=page.send("send", id=asked.id, content="the same again"), id=asked.id)
    assert generations.get(asked).conversation.messages.count() == 2


def test_title_request_does_not_use_up_the_message_limit(alice, socket, provider, strict):
    page = socket(alice)
    with_its_title(page, provider)
    answered(page, provider)  # the provider would report a title request that no test expects
    answered(page, provider)
    page.wait_refused("too_fast", id=page.ask("One more").id)


def test_page_that_never_acknowledges_is_closed(alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    title = provider.expect(exchange.prompt)
    exchange.write_tokens("x" * LONG).finish()
    assert asked.outcome == ("complete", "finished")
    title.write_tokens("Long").finish()
    page = socket(alice)
    page.mute()
    with suppress(ConnectionClosed):
        for number in range(1, 20):  # the response to each has everything that followed from it
            page.send("send", id=asked.id, content=exchange.prompt)
            eventually(lambda number=number: page.close_code or page.count("transcript") == number, "a transcript")
    assert page.wait_closed() == 1013
    assert page.count("transcript") * LONG <= OVERFLOW_FACTOR * settings.CHAT_MAX_UNREAD
