"""Continue: a new version that begins with the stopped text; the stopped one stays as it was."""

import uuid

import pytest

from tests import stored
from tests.visitors import words


@pytest.fixture
def stopped(alice, answering):
    a = answering(alice, "Bees **hum** ", "and")
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")
    return a


def test_begins_with_the_stopped_text(stopped, provider):
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    rest.write_tokens(" dance", " all day.").finish()
    assert asked.outcome == ("complete", "finished")
    assert stored.text(asked) == "Bees **hum** and dance all day."
    assert stored.run(asked).kind == "continue"


def test_leaves_the_stopped_version_unchanged(stopped, provider):
    before = stored.run(stopped.asked)
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    rest.write_tokens(" dance.").finish()
    assert asked.end
    after = stored.run(stopped.asked)
    assert after.message.content == before.message.content == "Bees **hum** and"
    assert (after.status, after.end_reason, after.ended_at) == ("interrupted", "stopped", before.ended_at)
    assert stored.run(asked).message.parent_id == after.message.parent_id


def test_shows_the_stopped_text_and_what_follows(stopped, alice, provider):
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    assert "Bees hum and" in words(asked.transcript["html"])
    rest.write_tokens(" dance.").finish()
    assert asked.end
    assert "Bees hum and dance." in alice.get(f"/c/{asked.conversation}/").text


def test_sends_the_stored_history_and_the_partial(stopped, provider):
    rest = provider.expect(stopped.exchange.prompt)
    stopped.page.continue_(stopped.asked.message)
    question, partial, *asking = [turn for turn in rest.request.messages if turn["role"] != "system"]
    assert question == {"role": "user", "content": stopped.exchange.prompt}
    assert partial == {"role": "assistant", "content": stored.text(stopped.asked)}
    assert [turn["role"] for turn in asking] == ["user"]
    rest.finish()


def test_by_prefill_sends_nothing_behind_the_partial(start_server, alice, answering, provider):
    a = answering(alice.at(start_server(CHAT_CONTINUE="prefill")), "Bees ", "hum")
    a.asked.stop()
    assert a.asked.end
    rest = provider.expect(a.exchange.prompt)
    a.page.continue_(a.asked.message)
    assert rest.request.messages[-1] == {"role": "assistant", "content": "Bees hum"}
    rest.finish()


def test_can_be_stopped_and_continued_again(stopped, provider):
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
    assert stored.text(last) == "Bees **hum** and dance at night."


def test_stopped_before_a_new_word_keeps_the_old_ones(stopped, provider):
    rest = provider.expect(stopped.exchange.prompt)
    asked = stopped.page.continue_(stopped.asked.message)
    rest.wait_opened()
    asked.stop()
    assert asked.outcome == ("interrupted", "stopped")
    assert stored.text(asked) == "Bees **hum** and"
    assert "Nothing was written." not in asked.end["note"]


def test_of_a_complete_answer_is_not_possible(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    a.page.wait_refused("not_possible", id=a.page.continue_(a.asked.message).id)


def test_of_someone_elses_answer_is_like_an_unknown_one(stopped, bob, socket):
    page = socket(bob)
    for message in (stopped.asked.message, str(uuid.uuid4())):
        page.wait_refused("not_found", id=page.continue_(message).id)
