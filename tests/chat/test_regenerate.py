"""Regenerate creates another version of an answer beside the existing one."""

import uuid

import pytest

from tests.support import generations


@pytest.mark.parametrize("how", ["finished", "stopped"])
def test_regenerate_makes_another_version(alice, answering, provider, how):
    a = answering(alice)
    a.exchange.finish() if how == "finished" else a.asked.stop()
    assert a.asked.end["reason"] == how
    again = provider.expect(a.exchange.prompt)
    asked = a.page.regenerate(a.asked.message)
    again.write_tokens("Another one.").finish()
    assert asked.outcome == ("complete", "finished")
    before, after = generations.get(a.asked), generations.get(asked)
    assert after.kind == "regenerate"
    assert after.message.parent_id == before.message.parent_id
    assert (before.message.content, after.message.content) == ("Bees hum", "Another one.")
    assert before.end_reason == how


def test_regenerate_sends_the_history_without_the_old_version(alice, answering, provider):
    a = answering(alice)
    a.asked.stop()
    assert a.asked.end
    again = provider.expect(a.exchange.prompt)
    a.page.regenerate(a.asked.message)
    sent = [turn for turn in again.request.messages if turn["role"] != "system"]
    assert sent == [{"role": "user", "content": a.exchange.prompt}]
    again.finish()


def test_regenerates_with_another_model(alice, answering, provider):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    again = provider.expect(a.exchange.prompt)
    asked = a.page.regenerate(a.asked.message, model="beta-model")
    assert again.request.body["model"] == "beta-model"
    again.finish()
    assert generations.wait_ended(asked).model == "beta-model"


def test_regenerating_an_earlier_answer_branches_there(alice, answering, provider):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    second = provider.expect()
    following = a.page.ask(second.prompt, after=a.asked)
    second.write_tokens("Second.").finish()
    assert following.end
    again = provider.expect(a.exchange.prompt)
    asked = a.page.regenerate(a.asked.message)
    assert second.prompt not in "".join(again.request.contents)
    again.write_tokens("New first.").finish()
    assert asked.outcome == ("complete", "finished")
    assert str(generations.get(asked).conversation.head_id) == asked.message
    assert generations.text(following) == "Second."


def test_regenerating_a_streaming_answer_replaces_it(alice, answering, provider):
    a = answering(alice)
    again = provider.expect(a.exchange.prompt)
    asked = a.page.regenerate(a.asked.message)
    a.exchange.wait_closed()
    again.write_tokens("Another one.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.outcome(a.asked) == ("interrupted", "superseded")


def test_prompt_cannot_be_regenerated(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    question = str(generations.get(a.asked).message.parent_id)
    asked = a.page.regenerate(question)
    a.page.wait_refused("not_possible", id=asked.id)


def test_other_peoples_answer_cannot_be_regenerated(alice, bob, answering, socket):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    page = socket(bob)
    for message in (a.asked.message, str(uuid.uuid4())):
        page.wait_refused("not_found", id=page.regenerate(message).id)
