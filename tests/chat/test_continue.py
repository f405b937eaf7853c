"""Continue creates a version that begins with the stopped text, and leaves the stopped version unchanged."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.rules.repeated_prefix import MIN_LENGTH, RepeatedPrefix
from tests.support import generations
from tests.support.people import words
from tests.support.servers import running


@pytest.fixture
def stopped(alice, answering):
    a = answering(alice, "Bees **hum** ", "and")
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")
    return a


def test_continued_answer_begins_with_the_stopped_text(stopped, provider):
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    rest.write_tokens(" dance", " all day.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.text(asked) == "Bees **hum** and dance all day."
    assert generations.get(asked).kind == "continue"


def test_stopped_version_stays_unchanged(stopped, provider):
    before = generations.get(stopped.asked)
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    rest.write_tokens(" dance.").finish()
    assert asked.end
    after = generations.get(stopped.asked)
    assert after.message.content == before.message.content == "Bees **hum** and"
    assert (after.status, after.end_reason, after.ended_at) == ("interrupted", "stopped", before.ended_at)
    assert generations.get(asked).message.parent_id == after.message.parent_id


def test_page_shows_stopped_text_and_continuation(stopped, alice, provider):
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    assert "Bees hum and" in words(asked.transcript["html"])
    rest.write_tokens(" dance.").finish()
    assert asked.end
    assert "Bees hum and dance." in alice.get(f"/c/{asked.conversation}/").text


def test_sends_the_history_and_the_stopped_text(stopped, provider):
    rest = provider.expect(stopped.exchange.prompt)
    stopped.page.continue_(stopped.asked.message)
    question, partial, *asking = [turn for turn in rest.request.messages if turn["role"] != "system"]
    assert question == {"role": "user", "content": stopped.exchange.prompt}
    assert partial == {"role": "assistant", "content": generations.text(stopped.asked)}
    assert [turn["role"] for turn in asking] == ["user"]
    rest.finish()


def test_prefill_sends_nothing_after_the_stopped_text(prefilling, alice, answering, provider):
    a = answering(alice.at(prefilling), "Bees ", "hum")
    a.asked.stop()
    assert a.asked.end
    rest = provider.expect(a.exchange.prompt)
    a.page.continue_(a.asked.message)
    assert rest.request.messages[-1] == {"role": "assistant", "content": "Bees hum"}
    rest.finish()


def test_continued_answer_can_be_stopped_and_continued_again(stopped, provider):
    second = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    second.write_tokens(" dance")
    asked.wait_text("dance")
    asked.stop()
    assert asked.outcome == ("interrupted", "stopped")
    third = provider.expect(stopped.exchange.prompt)
    last = stopped.page.continue_(asked.message)
    third.write_tokens(" at night.").finish()
    assert last.outcome == ("complete", "finished")
    assert generations.text(last) == "Bees **hum** and dance at night."


def test_stopping_before_a_new_word_keeps_the_old_text(stopped, provider):
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    rest.wait_opened()
    asked.stop()
    assert asked.outcome == ("interrupted", "stopped")
    assert generations.text(asked) == "Bees **hum** and"
    assert "Nothing was written." not in asked.end["note"]


@pytest.fixture(scope="module")
def prefilling(database, provider):
    """A server whose models continue when the request ends with the beginning of their answer."""
    with running(OPENAI_BASE_URL=provider.url, CHAT_CONTINUE="prefill", CHAT_FIRST_TOKEN_TIMEOUT=60) as server:
        yield server


REPEATED = {
    "whole, in the first piece": (["Bees hum and", " dance."], "Bees hum and dance."),
    "whole, and nothing else in it": (["Bees hum", " and dance."], "Bees hum and dance."),
    "in pieces": (["Bee", "s h", "um a", "nd dance."], "Bees hum and dance."),
    "not at all": ([" and", " dance."], "Bees hum and dance."),
    "only its beginning": (["Bees h", "ave wings."], "Bees humBees have wings."),
    "only its beginning, to the end": (["Bees"], "Bees humBees"),
}


@pytest.mark.parametrize("which", REPEATED)
def test_repeated_text_is_not_written_twice(alice, answering, provider, prefilling, which):
    """Some servers repeat the text that they were given, others do not."""
    pieces, whole = REPEATED[which]
    a = answering(alice.at(prefilling), "Bees ", "hum")
    a.asked.stop()
    assert a.asked.end
    rest = provider.expect(a.exchange.prompt)
    asked = a.page.continue_(a.asked.message)
    rest.write_tokens(*pieces).finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.text(asked) == whole == asked.text


@given(so_far=st.text(alphabet="ab ", max_size=12), new=st.text(alphabet="ab ", max_size=12), cuts=st.data())
def test_repetition_is_dropped_or_kept_as_a_whole(so_far, new, cuts):
    """However the text is split, the result is either all of it or all of it without exactly the earlier text."""
    for said in (new, so_far + new):
        repetition, out, rest = RepeatedPrefix(so_far), "", said
        while rest:
            size = cuts.draw(st.integers(1, len(rest)))
            out, rest = out + repetition.strip(rest[:size]), rest[size:]
        out += repetition.release()
        repeated = len(so_far) >= MIN_LENGTH and said.startswith(so_far)
        assert out == (said[len(so_far) :] if repeated else said)


BROKEN_OFF = {
    "an error object": lambda exchange: exchange.write_event({"error": {"code": 500}}),
    "nonsense": lambda exchange: exchange.write_raw(b"data: {nonsense\n\n"),
    "the connection": lambda exchange: exchange.cut(),
    "an unknown word": lambda exchange: exchange.finish("three_wise_monkeys"),
    "the length": lambda exchange: exchange.finish("length"),
}


@pytest.mark.parametrize("how", BROKEN_OFF)
def test_continue_is_offered_wherever_text_was_kept(alice, answering, provider, how):
    a = answering(alice)
    BROKEN_OFF[how](a.exchange)
    assert "Continue generating" in words(a.asked.end["note"])
    rest = provider.expect(a.exchange.prompt)
    asked = a.page.continue_(a.asked.message)
    rest.write_tokens(" on.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.text(asked) == "Bees hum on."


def test_continue_is_not_offered_without_text(alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.respond(500)
    assert asked.end["status"] == "error"
    assert "Continue" not in words(asked.end["note"])
    asked.socket.wait_refused("not_possible", id=asked.socket.continue_(asked.message).id)


def test_retrying_a_failed_continuation_continues(stopped, provider):
    failing = provider.expect(stopped.exchange.prompt)
    failed = stopped.page.continue_(stopped.asked.message)
    failing.respond(503)
    assert failed.outcome == ("error", "provider_failed")
    assert "Try again" in words(failed.end["note"])
    rest = provider.expect(stopped.exchange.prompt)
    again = stopped.page.regenerate(failed.message)
    assert {"role": "assistant", "content": "Bees **hum** and"} in rest.request.messages
    rest.write_tokens(" dance.").finish()
    assert again.outcome == ("complete", "finished")
    assert generations.text(again) == "Bees **hum** and dance."
    assert generations.get(again).kind == "continue"


def test_answer_limit_counts_the_continued_text(alice, provider, start_server, answering):
    server = start_server(CHAT_MAX_ANSWER=100)
    a = answering(alice.at(server), "x" * 60)
    a.asked.stop()
    assert a.asked.end
    rest = provider.expect(a.exchange.prompt)
    asked = a.page.continue_(a.asked.message)
    rest.write_tokens("y" * 60)
    assert asked.outcome == ("error", "too_large")
    assert generations.text(asked) == "x" * 60 + "y" * 40
    assert "Continue" not in words(asked.end["note"])


def test_complete_answer_cannot_be_continued(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    a.page.wait_refused("not_possible", id=a.page.continue_(a.asked.message).id)


def test_other_peoples_answer_cannot_be_continued(stopped, bob, socket):
    page = socket(bob)
    for message in (stopped.asked.message, str(uuid.uuid4())):
        page.wait_refused("not_found", id=page.continue_(message).id)
