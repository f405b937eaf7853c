"""Copy returns the Markdown of a message."""

import uuid

import pytest


@pytest.fixture
def answered(alice, answering):
    a = answering(alice, "Bees **hum**, ", "`and` dance & <b>")
    a.exchange.finish()
    assert a.asked.end
    return a.asked


def text(person, message):
    return person.get(f"/messages/{message}/text/")


def test_copy_returns_the_markdown(alice, answered):
    page = text(alice, answered.message)
    assert (page.status, page.html) == (200, "Bees **hum**, `and` dance & <b>")
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_copying_a_stopped_answer_returns_its_text(alice, answering):
    a = answering(alice, "Bees **hum")
    a.asked.stop()
    assert a.asked.end
    assert text(alice, a.asked.message).html == "Bees **hum"


def test_other_peoples_message_cannot_be_copied(bob, answered):
    theirs, unknown = text(bob, answered.message), text(bob, uuid.uuid4())
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404


def test_signed_out_copy_redirects_to_sign_in(alice, answered):
    assert text(alice.without_session(), answered.message).location.startswith("/accounts/login/")


def test_copy_accepts_only_get(alice, answered):
    assert alice.post(f"/messages/{answered.message}/text/").status == 405
