"""After the first answer the model is asked for a title; a title given by the person always wins."""

from decimal import Decimal

import pytest

from conversations.generation import auto_titles
from conversations.models import Conversation, Generation
from conversations.providers.demo.completion import reply
from conversations.web import monthly_usage
from tests.support import servers
from tests.support.people import new_person
from tests.support.polling import eventually
from tests.support.servers import SHARED_SETTINGS


@pytest.fixture(scope="module")
def titled(database, provider):
    with servers.running(OPENAI_BASE_URL=provider.url, CHAT_TITLES="true", **SHARED_SETTINGS) as server:
        yield server


@pytest.fixture
def person(titled):
    return new_person("alice", titled)


@pytest.fixture
def asked(person, answering, provider):
    """An answer that has ended, and the request for its title."""
    a = answering(person)
    title = provider.expect(a.exchange.prompt)
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    title.wait_opened()
    return a, title


def stored(asked):
    return Conversation.objects.get(pk=asked.conversation)


def test_model_names_the_conversation_after_the_first_answer(asked, provider):
    a, title = asked
    assert title.request.messages[-1]["content"] == auto_titles.INSTRUCTION
    assert title.request.body["max_tokens"] == auto_titles.MAX_TOKENS
    title.write_tokens('"The hum', ' of bees"\n').finish()
    assert a.page.wait("activity", conversation=a.asked.conversation, title="The hum of bees")
    assert (stored(a.asked).title, stored(a.asked).title_source) == ("The hum of bees", "model")
    second = provider.expect()
    again = a.page.ask(second.prompt, after=a.asked)
    second.write_tokens("More").finish()
    assert again.outcome == ("complete", "finished")
    mine = [request for request in provider.asked(auto_titles.INSTRUCTION) if a.exchange.prompt in request.contents[0]]
    assert len(mine) == 1


def test_stopped_answer_requests_no_title(person, answering, provider):
    """No title is requested at once or later; the next complete answer requests it."""
    a = answering(person)
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")
    again = provider.expect()
    more = a.page.ask(again.prompt, after=a.asked)
    again.write_tokens("Bees")
    more.wait_text("Bees").stop()
    assert more.outcome == ("interrupted", "stopped")
    third = provider.expect()
    last = a.page.ask(third.prompt, after=more)
    title = provider.expect(third.prompt)
    third.write_tokens("Bees").finish()
    assert last.outcome == ("complete", "finished")
    title.write_tokens("Bees").finish()
    assert a.page.wait("activity", conversation=a.asked.conversation, title="Bees")
    asked_for = [request.contents for request in provider.asked(auto_titles.INSTRUCTION)]
    assert not [contents for contents in asked_for if a.exchange.prompt in contents or again.prompt in contents]


def test_new_prompt_cancels_the_request_and_its_answer_repeats_it(asked, provider):
    a, title = asked
    second = provider.expect()
    again = a.page.ask(second.prompt, after=a.asked)
    title.wait_closed()
    assert not title.answered
    anew = provider.expect(second.prompt)
    second.write_tokens("More").finish()
    assert again.outcome == ("complete", "finished")
    assert anew.request.contents[-1] == auto_titles.INSTRUCTION
    anew.write_tokens("More of bees").finish()
    assert a.page.wait("activity", conversation=a.asked.conversation, title="More of bees")


def test_title_is_requested_at_most_twice(asked, titled, provider):
    a, title = asked
    after = a.asked
    for attempt in (1, 2):
        title.respond(500)
        eventually(lambda done=attempt: tokens_of_titles(a.asked).count((0, 0)) == done, "the failed request")
        exchange = provider.expect()
        again = a.page.ask(exchange.prompt, after=after)
        title = provider.expect(exchange.prompt)
        exchange.write_tokens("More").finish()
        assert again.outcome == ("complete", "finished")
        after = again
    assert len(tokens_of_titles(a.asked)) == auto_titles.MAX_ATTEMPTS
    assert title.opened_at is None


def tokens_of_titles(asked):
    rows = Generation.objects.filter(conversation=asked.conversation, title_tokens_in__isnull=False)
    return list(rows.order_by("requested_at").values_list("title_tokens_in", "title_tokens_out"))


def test_title_usage_counts_in_totals_but_not_under_the_answer(asked, person):
    a, title = asked
    before = monthly_usage.this_month(person.user)
    title.write_tokens("The hum of bees").finish(usage=(300, 7))
    eventually(lambda: tokens_of_titles(a.asked) == [(300, 7)], "the tokens of the title")
    generation = Generation.objects.get(pk=a.asked.generation)
    assert (generation.tokens_in, generation.tokens_out, generation.usage_source) == (12 + 300, 34 + 7, "provider")
    assert generation.answer_tokens == (12, 34)
    assert "46 tokens" in person.get(f"/c/{a.asked.conversation}/").text
    after = monthly_usage.this_month(person.user)
    assert (after.tokens_in, after.tokens_out) == ("312 tokens", "41 tokens") != (before.tokens_in, before.tokens_out)


def test_usage_of_a_cancelled_title_is_estimated(asked):
    a, title = asked
    title.write_tokens("The hum")
    a.page.close()
    title.wait_closed()
    eventually(lambda: tokens_of_titles(a.asked), "the tokens of the title")
    [(tokens_in, tokens_out)] = tokens_of_titles(a.asked)
    assert tokens_in > len(auto_titles.INSTRUCTION) // 4
    assert tokens_out == 2
    assert Generation.objects.get(pk=a.asked.generation).usage_source == "estimated"


def test_model_price_applies_to_titles():
    generation = Generation(
        tokens_in=112,
        tokens_out=27,
        title_tokens_in=100,
        title_tokens_out=7,
        price_in=Decimal(2),
        price_out=Decimal(10),
    )
    generation.cost = generation.price()
    assert generation.cost == Decimal("0.000494")
    assert generation.answer_cost == Decimal("0.000224")


def test_answer_without_text_requests_no_title(person, socket, provider):
    exchange = provider.expect()
    page = socket(person)
    asked = page.ask(exchange.prompt)
    exchange.wait_opened()
    asked.stop()
    assert asked.outcome == ("interrupted", "stopped")
    again = provider.expect()
    page.ask(again.prompt, after=asked)
    title = provider.expect(again.prompt)
    again.write_tokens("Bees").finish()
    title.write_tokens("Bees").finish()
    assert page.wait("activity", conversation=asked.conversation, title="Bees")
    assert [r for r in provider.asked(exchange.prompt) if r.contents[-1] == auto_titles.INSTRUCTION] == []


def test_title_given_by_the_person_stays(asked, titled, provider):
    a, title = asked
    Conversation.objects.filter(pk=a.asked.conversation).update(title="Mine", title_source="person")
    title.write_tokens("Bees").finish()
    eventually(lambda: f"title of {a.asked.conversation}" in titled.output, "the answer")
    asked_again = provider.expect()
    again = a.page.ask(asked_again.prompt, after=a.asked)
    asked_again.write_tokens("More").finish()
    assert again.outcome == ("complete", "finished")
    assert stored(a.asked).title == "Mine"
    assert a.page.count("activity", title="Bees") == 0


def test_leaving_cancels_the_title_request(asked):
    a, title = asked
    a.page.close()
    title.wait_closed()
    assert stored(a.asked).title == a.exchange.prompt


def test_signing_out_cancels_the_title_request(asked, person):
    _a, title = asked
    person.post("/accounts/logout/")
    title.wait_closed()


def test_deleting_cancels_the_title_request(asked, person):
    a, title = asked
    person.post(f"/c/{a.asked.conversation}/delete/")
    title.wait_closed()


def test_failed_title_request_leaves_the_first_words(asked, titled):
    a, title = asked
    title.respond(500)
    eventually(lambda: f"conversation {a.asked.conversation} has no title" in titled.output, "the failed request")
    assert stored(a.asked).title == a.exchange.prompt
    assert stored(a.asked).title_source == "prompt"


def test_title_request_uses_the_token_limit_name_the_endpoint_accepts(asked, provider):
    a, title = asked
    again = provider.expect(a.exchange.prompt)
    title.respond(400, body={"error": {"message": "Unsupported parameter: 'max_tokens'"}})
    assert again.request.body["max_completion_tokens"] == auto_titles.MAX_TOKENS
    assert "max_tokens" not in again.request.body
    again.write_tokens("Bees").finish()
    assert a.page.wait("activity", conversation=a.asked.conversation, title="Bees")
    other = provider.expect()
    following = a.page.ask(other.prompt)
    next_title = provider.expect(other.prompt)
    other.write_tokens("Bees").finish()
    assert following.outcome == ("complete", "finished")
    assert "max_tokens" not in next_title.request.body  # the name is remembered
    back = provider.expect(other.prompt)
    next_title.respond(400, body={})
    assert back.request.body["max_tokens"] == auto_titles.MAX_TOKENS
    back.write_tokens("Hum").finish()  # so the other tests find the usual name remembered
    assert a.page.wait("activity", conversation=following.conversation, title="Hum")


def test_shutdown_closes_title_requests(person, answering, provider, start_server):
    server = start_server(CHAT_TITLES="true")
    a = answering(person.at(server))
    title = provider.expect(a.exchange.prompt)
    a.exchange.finish()
    title.wait_opened()
    server.stop()
    title.wait_closed(1)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("The hum of bees", "The hum of bees"),
        ('\n\n"The hum of bees."\nAnd why', "The hum of bees"),
        ("**Title: „Das Summen der Bienen“**", "Das Summen der Bienen"),
        ("# Bees", "Bees"),
        ("x" * 300, "x" * 59 + "…"),
        ("<think>The user wants", ""),
        ("a\0b\u202ec", "abc"),
        ("", ""),
        ('""', ""),
    ],
)
def test_decoration_around_a_title_is_removed(said, title):
    assert auto_titles.clean(said) == title


def test_demo_model_gives_a_title():
    turns = [
        ("user", "Please explain how a rainbow comes about, in three short paragraphs"),
        ("assistant", "You asked"),
    ]
    assert reply([*turns, ("user", auto_titles.INSTRUCTION)], 1) == "Explain how a rainbow comes about"
