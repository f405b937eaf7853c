"""Copy: a message as it was written."""

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


def test_gives_the_markdown(alice, answered):
    page = text(alice, answered.message)
    assert (page.status, page.html) == (200, "Bees **hum**, `and` dance & <b>")
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_of_a_stopped_answer_gives_what_was_written(alice, answering):
    a = answering(alice, "Bees **hum")
    a.asked.stop()
    assert a.asked.end
    assert text(alice, a.asked.message).html == "Bees **hum"


def test_of_someone_elses_message_is_like_an_unknown_one(bob, answered):
    theirs, unknown = text(bob, answered.message), text(bob, uuid.uuid4())
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404


def test_signed_out_leads_to_the_sign_in_page(alice, answered):
    assert text(alice.without_session(), answered.message).location.startswith("/accounts/login/")


def test_is_read_only(alice, answered):
    assert alice.post(f"/messages/{answered.message}/text/").status == 405
