"""The form for Stop works the same, for a page without scripts or without a socket."""

import uuid

import pytest

from tests.support import generations
from tests.support.generations import stop_path
from tests.support.polling import eventually
from tests.support.provider.endless import CLOSE_LIMIT, RATE, endless


def test_form_closes_the_providers_socket(alice, answering):
    a = answering(alice)
    a.exchange.stream(endless(), RATE)
    a.asked.wait_text("word2")
    page = alice.post(stop_path(a.asked.generation))
    assert (page.status, page.location) == (302, f"/c/{a.asked.conversation}/")
    a.exchange.wait_closed(CLOSE_LIMIT)
    assert a.asked.outcome == ("interrupted", "stopped")
    assert generations.text(a.asked).startswith("Bees humword1 word2 ")


def test_stopping_twice_is_one_stop(alice, answering):
    a = answering(alice)
    assert {alice.post(stop_path(a.asked.generation)).status for _ in range(2)} == {302}
    assert a.asked.outcome == ("interrupted", "stopped")


def test_stopping_an_ended_answer_shows_it(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    assert alice.post(stop_path(a.asked.generation)).location == f"/c/{a.asked.conversation}/"
    assert generations.outcome(a.asked) == ("complete", "finished")


def test_other_peoples_answer_cannot_be_stopped(alice, bob, answering):
    a = answering(alice)
    theirs, unknown = (bob.post(stop_path(each)) for each in (a.asked.generation, uuid.uuid4()))
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404
    assert not a.exchange.closed
    a.exchange.finish()


def test_signed_out_stop_redirects_to_sign_in(alice, answering):
    a = answering(alice)
    page = alice.without_session().post(stop_path(a.asked.generation))
    assert page.status == 302
    assert page.location.startswith("/accounts/login/")
    assert not a.exchange.closed
    a.exchange.finish()


def test_get_request_cannot_stop(alice, answering):
    a = answering(alice)
    assert alice.get(stop_path(a.asked.generation)).status == 405
    assert not a.exchange.closed
    a.exchange.finish()


@pytest.mark.parametrize("forged", [{}, {"X-CSRFToken": "0" * 32}])
def test_another_site_cannot_stop(alice, answering, forged):
    a = answering(alice)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": alice.server.url, **forged}
    assert alice.request("POST", stop_path(a.asked.generation), "", headers).status == 403
    a.exchange.write_tokens(" on")
    a.exchange.finish()
    assert generations.outcome(a.asked) == ("complete", "finished")


def test_form_works_while_the_socket_is_closed(start_server, alice, answering):
    server = start_server(CHAT_LEAVE_GRACE=30)
    a = answering(alice.at(server))
    a.page.close()
    assert alice.at(server).post(stop_path(a.asked.generation)).status == 302
    eventually(lambda: a.exchange.closed, "the provider's socket closed")
    assert generations.outcome(a.asked) == ("interrupted", "stopped")
