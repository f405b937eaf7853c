"""Versions: going back and forth between the answers to one question."""

import uuid

import pytest

from conversations.models import Conversation
from tests import stored


@pytest.fixture
def versions(alice, answering, provider):
    """(old, new): two finished answers to one question; the new one is on screen."""
    old = answering(alice, "Old words")
    old.exchange.finish()
    assert old.asked.end
    exchange = provider.expect(old.exchange.prompt)
    new = old.page.regenerate(old.asked.message)
    exchange.write_tokens("New words").finish()
    assert new.end
    return old.asked, new


def show(person, message):
    return person.post(f"/messages/{message}/show/")


def test_shows_the_other_version(alice, versions):
    old, new = versions
    page = show(alice, old.message)
    assert (page.status, page.location) == (302, f"/c/{old.conversation}/")
    shown = alice.get(f"/c/{old.conversation}/").text
    assert "Old words" in shown
    assert "New words" not in shown
    show(alice, new.message)
    assert "New words" in alice.get(f"/c/{old.conversation}/").text


def test_shows_the_branch_behind_it(alice, versions, provider):
    old, new = versions
    exchange = provider.expect()
    following = new.socket.ask(exchange.prompt, after=new)
    exchange.write_tokens("Behind the new").finish()
    assert following.end
    show(alice, old.message)
    assert str(Conversation.objects.get(pk=old.conversation).head_id) == old.message
    show(alice, new.message)
    assert "Behind the new" in alice.get(f"/c/{old.conversation}/").text


def test_next_prompt_goes_on_from_the_version_on_screen(alice, versions, provider):
    old, _ = versions
    show(alice, old.message)
    exchange = provider.expect()
    asked = old.socket.ask(exchange.prompt, after=old)
    sent = "".join(exchange.request.contents)
    assert "Old words" in sent
    assert "New words" not in sent
    exchange.finish()
    assert asked.end


def test_changes_no_message(alice, versions):
    old, new = versions
    show(alice, old.message)
    assert (stored.text(old), stored.text(new)) == ("Old words", "New words")


def test_of_someone_elses_message_is_like_an_unknown_one(bob, versions):
    theirs, unknown = show(bob, versions[0].message), show(bob, uuid.uuid4())
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404


def test_signed_out_leads_to_the_sign_in_page(alice, versions):
    assert show(alice.without_session(), versions[0].message).location.startswith("/accounts/login/")


def test_a_link_cannot_switch(alice, versions):
    assert alice.get(f"/messages/{versions[0].message}/show/").status == 405
