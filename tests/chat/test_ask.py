"""An answer streams in, formatted, and is stored exactly as the provider wrote it."""

import pytest

from conversations.models import Conversation
from tests.support import generations
from tests.support.environment import CANARY_KEY


def test_streams_the_answer_formatted(alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.write_tokens("# Bees\n\n", "They **hum**", " and `buzz`.\n\n")
    asked.wait_text("They hum and buzz.")
    exchange.write_tokens("The end.").finish()
    assert asked.outcome == ("complete", "finished")
    html = asked.socket.html(asked.generation)
    assert "<strong>hum</strong>" in html
    assert "<code>buzz</code>" in html
    assert asked.text == "Bees They hum and buzz. The end."


def test_keeps_exactly_what_the_provider_wrote(alice, answering):
    a = answering(alice, "One\n", "\n* two  \n", "* drei – ", "四 🐝\n")
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == a.exchange.text


def test_answer_is_complete_only_when_the_provider_says_so(alice, answering):
    a = answering(alice)
    assert generations.get(a.asked).status == "streaming"
    a.exchange.finish()
    assert a.asked.end["message"] == a.asked.message
    assert generations.outcome(a.asked) == ("complete", "finished")


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_note_says_that_the_provider_ended_early(alice, answering, reason):
    a = answering(alice)
    a.exchange.finish(reason)
    assert a.asked.outcome == ("complete", reason)
    assert a.asked.end["note"]


def test_first_prompt_gives_the_conversation_a_title(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    title = Conversation.objects.get(pk=a.asked.conversation).title
    assert title == a.exchange.prompt == a.asked.transcript["title"]


def test_second_prompt_continues_the_first(alice, answering, provider):
    first = answering(alice)
    first.exchange.finish()
    assert first.asked.end
    second = provider.expect()
    asked = first.page.ask(second.prompt, after=first.asked)
    second.write_tokens("More.").finish()
    assert asked.outcome == ("complete", "finished")
    question = generations.get(asked).message.parent
    assert question.content == second.prompt
    assert str(question.parent_id) == first.asked.message
    assert question.parent.parent.parent is None


def test_sends_the_stored_history(alice, answering, provider):
    first = answering(alice, "One ", "**two**\n")
    first.exchange.finish()
    assert first.asked.end
    second = provider.expect()
    first.page.ask(second.prompt, after=first.asked)
    sent = [turn for turn in second.request.messages if turn["role"] != "system"]
    assert sent == [
        {"role": "user", "content": first.exchange.prompt},
        {"role": "assistant", "content": generations.text(first.asked)},
        {"role": "user", "content": second.prompt},
    ]
    second.finish()


def test_counts_tokens_as_the_provider_does(alice, answering):
    a = answering(alice)
    a.exchange.finish(usage=(12, 34))
    generation = generations.wait_ended(a.asked)
    assert (generation.tokens_in, generation.tokens_out, generation.usage_source) == (12, 34, "provider")
    assert generation.requested_at <= generation.opened_at <= generation.first_token_at <= generation.ended_at


def test_asks_the_chosen_model(alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model="beta-model")
    assert exchange.request.body["model"] == "beta-model"
    exchange.finish()
    assert generations.wait_ended(asked).model == "beta-model"


def test_second_page_sees_the_same_answer(alice, answering, socket):
    a = answering(alice)
    other = socket(alice)
    watching = other.watch(a.asked.conversation)
    assert watching["generation"] == a.asked.generation
    assert other.wait("snapshot", generation=a.asked.generation)
    a.exchange.write_tokens(" softly").finish()
    assert other.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert other.text(a.asked.generation) == a.asked.text == "Bees hum softly"


def test_all_pages_of_the_person_are_notified(alice, bob, answering, socket):
    other, strangers = socket(alice), socket(bob)
    a = answering(alice)
    assert other.wait("activity", generation=a.asked.generation)["conversation"] == a.asked.conversation
    a.exchange.finish()
    assert other.wait("activity", conversation=a.asked.conversation, generation=None)
    assert strangers.count("activity") == 0


def test_api_key_goes_to_the_provider_and_nowhere_else(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    assert a.exchange.request.headers["authorization"] == f"Bearer {CANARY_KEY}"
    assert CANARY_KEY not in a.page.story()
    assert CANARY_KEY not in alice.get(f"/c/{a.asked.conversation}/").html


def test_reloaded_page_shows_the_same_words(alice, answering):
    a = answering(alice, "# Bees\n\n", "They **hum**.")
    a.exchange.finish()
    assert a.asked.end
    page = alice.get(f"/c/{a.asked.conversation}/")
    assert a.exchange.prompt in page.text
    assert "<strong>hum</strong>" in page.html
    assert 'data-status="complete"' in page.html
