"""The setting "When I leave" decides what happens to an answer that has no viewers."""

import math

import pytest
from django.contrib.sessions.models import Session

from conversations.models import Preferences
from conversations.rules.status import EndReason
from conversations.rules.viewers import MINUTE, GracePeriods, Viewers
from tests.support import generations
from tests.support.polling import eventually

GONE = [EndReason.LEFT, EndReason.CONNECTION_LOST]


def choose(person, when_leaving):
    Preferences.objects.update_or_create(user=person.user, defaults={"when_leaving": when_leaving})


# The rule, without real time


def grace_period(choice, cause, *, left=0.0, lost=2.0, now=100.0):
    """The seconds that an answer continues after its last viewer leaves."""
    viewers = Viewers(GracePeriods.from_preference(choice, left, lost))
    viewers.arrive("tab")
    viewers.leave("tab", cause, now)
    due, why = viewers.pending_end
    assert why == cause
    return due - now


@pytest.mark.parametrize("cause", GONE)
def test_grace_period_follows_choice_and_administrator(cause):
    grace = 2.0 if cause == EndReason.CONNECTION_LOST else 0.0
    assert grace_period("", cause) == grace_period("stop", cause) == grace
    assert grace_period("wait", cause) == MINUTE
    assert grace_period("finish", cause) == math.inf


@pytest.mark.parametrize("choice", ["stop", "wait", "finish"])
def test_signing_out_stops_immediately_whatever_was_chosen(choice):
    assert grace_period(choice, EndReason.SIGNED_OUT) == 0


def test_choice_cannot_undercut_the_administrators_grace_period():
    assert grace_period("wait", EndReason.LEFT, left=300) == 300
    assert grace_period("stop", EndReason.CONNECTION_LOST, lost=90) == 90


# Through sockets


def test_answer_finishes_in_the_background(alice, answering, socket):
    choose(alice, "finish")
    a = answering(alice)
    generation = a.asked.generation
    a.page.close()
    a.exchange.write_tokens(" on", " and on").finish()
    eventually(lambda: generations.get(generation).status == "complete", "the end")
    assert generations.text(generation) == "Bees hum on and on"


def test_answer_waits_for_the_page_to_return(alice, answering, socket):
    choose(alice, "wait")
    a = answering(alice)
    a.page.close()
    a.exchange.write_tokens(" alone")
    again = socket(alice).subscribe(a.asked)
    a.exchange.write_tokens(" no more").finish()
    assert again.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert generations.text(a.asked.generation) == "Bees hum alone no more"


def test_answer_stops_by_default(alice, answering):
    choose(alice, "stop")
    a = answering(alice)
    a.page.close()
    a.exchange.wait_closed()
    assert generations.outcome(a.asked) == ("interrupted", "left")


def test_change_applies_from_the_next_answer(alice, answering):
    choose(alice, "stop")
    a = answering(alice)
    choose(alice, "finish")
    a.page.close()
    a.exchange.wait_closed()
    assert generations.outcome(a.asked) == ("interrupted", "left")


def test_background_answer_can_still_be_stopped(alice, answering, socket):
    choose(alice, "finish")
    a = answering(alice)
    a.page.close()
    other = socket(alice)
    other.stop(generation=a.asked.generation)
    a.exchange.wait_closed()
    assert generations.outcome(a.asked) == ("interrupted", "stopped")


def test_next_prompt_replaces_a_background_answer(alice, answering, socket, provider):
    choose(alice, "finish")
    a = answering(alice)
    a.page.close()
    second = provider.expect()
    other = socket(alice)
    asked = other.ask(second.prompt, a.asked.conversation, a.asked.message)
    a.exchange.wait_closed()
    second.write_tokens("Next").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.outcome(a.asked.generation) == ("interrupted", "superseded")


def test_signing_out_later_stops_a_background_answer(alice, answering):
    choose(alice, "finish")
    a = answering(alice)
    a.page.close()
    alice.post("/accounts/logout/")
    a.exchange.wait_closed()
    assert generations.outcome(a.asked) == ("interrupted", "signed_out")


def test_session_ended_elsewhere_stops_a_background_answer(alice, answering):
    choose(alice, "finish")
    a = answering(alice)
    a.page.close()
    Session.objects.filter(session_key=alice.session).delete()
    a.exchange.wait_closed()
    assert generations.outcome(a.asked) == ("interrupted", "signed_out")


def test_disabled_account_stops_a_background_answer(alice, answering):
    choose(alice, "finish")
    a = answering(alice)
    a.page.close()
    alice.user.is_active = False
    alice.user.save()
    a.exchange.wait_closed()
    assert generations.outcome(a.asked) == ("interrupted", "signed_out")


def test_fixed_choice_holds_until_shutdown(alice, answering, start_server):
    server = start_server(CHAT_WHEN_LEAVING="finish")
    choose(alice, "stop")
    a = answering(alice.at(server))
    a.page.close()
    a.exchange.write_tokens(" alone")
    eventually(lambda: "alone" in alice.at(server).get(f"/c/{a.asked.conversation}/").text, "the words written since")
    assert not a.exchange.closed
    server.stop()
    assert a.exchange.closed
    assert generations.outcome(a.asked) == ("interrupted", "server_shutdown")
