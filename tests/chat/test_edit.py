"""Edit creates a new version of one's own message and asks for an answer to it."""

import uuid

import pytest

from tests.support import generations


@pytest.fixture
def answered(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    return a


@pytest.fixture
def question(answered):
    return str(generations.get(answered.asked).message.parent_id)


def test_edit_asks_the_new_text(answered, question, provider):
    exchange = provider.expect()
    asked = answered.page.edit(question, exchange.prompt)
    assert answered.exchange.prompt not in "".join(exchange.request.contents)
    exchange.write_tokens("Wasps sting.").finish()
    assert asked.outcome == ("complete", "finished")
    generation = generations.get(asked)
    assert generation.message.parent.content == exchange.prompt
    assert str(generation.conversation.head_id) == asked.message


def test_edit_keeps_the_first_version(answered, question, provider):
    exchange = provider.expect()
    asked = answered.page.edit(question, exchange.prompt)
    exchange.finish()
    assert asked.end
    before, after = generations.get(answered.asked).message.parent, generations.get(asked).message.parent
    assert before.content == answered.exchange.prompt
    assert before.parent_id == after.parent_id
    assert before.pk != after.pk


def test_edit_replaces_a_streaming_answer(alice, answering, provider):
    a = answering(alice)
    exchange = provider.expect()
    asked = a.page.edit(str(generations.get(a.asked).message.parent_id), exchange.prompt)
    a.exchange.wait_closed()
    exchange.write_tokens("Yes.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.outcome(a.asked) == ("interrupted", "superseded")


@pytest.mark.parametrize(("content", "code"), [("", "empty"), (" \n\t", "empty"), ("x" * 32_001, "too_long")])
def test_edit_refuses_what_send_refuses(answered, question, content, code):
    asked = answered.page.edit(question, content)
    answered.page.wait_refused(code, id=asked.id, refers="edit")


def test_answer_cannot_be_edited(answered):
    asked = answered.page.edit(answered.asked.message, "New words")
    answered.page.wait_refused("not_possible", id=asked.id)


def test_other_peoples_message_cannot_be_edited(bob, question, socket):
    page = socket(bob)
    for message in (question, str(uuid.uuid4())):
        page.wait_refused("not_found", id=page.edit(message, "New words").id)
