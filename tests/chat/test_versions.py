"""People can switch between the versions of an answer."""

import uuid

import pytest

from conversations.models import Conversation, Message
from tests.support import generations
from tests.support.conversations import converse


@pytest.fixture
def versions(alice, answering, provider):
    """Returns (old, new), two finished answers to one question; the new one is on screen."""
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


def test_switching_shows_the_other_version(alice, versions):
    old, new = versions
    page = show(alice, old.message)
    assert (page.status, page.location) == (302, f"/c/{old.conversation}/")
    shown = alice.get(f"/c/{old.conversation}/").text
    assert "Old words" in shown
    assert "New words" not in shown
    show(alice, new.message)
    assert "New words" in alice.get(f"/c/{old.conversation}/").text


def test_switching_shows_the_branch_after_it(alice, versions, provider):
    old, new = versions
    exchange = provider.expect()
    following = new.socket.ask(exchange.prompt, after=new)
    exchange.write_tokens("Behind the new").finish()
    assert following.end
    show(alice, old.message)
    assert str(Conversation.objects.get(pk=old.conversation).head_id) == old.message
    show(alice, new.message)
    assert "Behind the new" in alice.get(f"/c/{old.conversation}/").text


def test_next_prompt_continues_the_version_on_screen(alice, versions, provider):
    old, _ = versions
    show(alice, old.message)
    exchange = provider.expect()
    asked = old.socket.ask(exchange.prompt, after=old)
    sent = "".join(exchange.request.contents)
    assert "Old words" in sent
    assert "New words" not in sent
    exchange.finish()
    assert asked.end


def test_switching_changes_no_message(alice, versions):
    old, new = versions
    show(alice, old.message)
    assert (generations.text(old), generations.text(new)) == ("Old words", "New words")


def test_other_peoples_versions_cannot_be_switched(bob, versions):
    theirs, unknown = show(bob, versions[0].message), show(bob, uuid.uuid4())
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404


def test_signed_out_switch_redirects_to_sign_in(alice, versions):
    assert show(alice.without_session(), versions[0].message).location.startswith("/accounts/login/")


def test_get_request_cannot_switch(alice, versions):
    assert alice.get(f"/messages/{versions[0].message}/show/").status == 405


def test_switching_back_restores_the_branch(alice):
    """The branch that was on screen returns, not the newest one."""
    conversation, (question, old, *_rest) = converse(alice, ["q", "old", "then", "shown last"])
    converse(alice, ["and then", "newer but left"], old, conversation)
    other = Message.objects.create(
        conversation=conversation, parent=question, role="assistant", content="another", status="complete"
    )
    conversation.show(Message.objects.get(content="shown last", conversation=conversation).pk)
    show(alice, other.pk)
    assert "shown last" not in alice.get(f"/c/{conversation.pk}/").text
    show(alice, old.pk)
    page = alice.get(f"/c/{conversation.pk}/").text
    assert "shown last" in page
    assert "newer but left" not in page


def test_showing_the_current_version_changes_nothing(alice):
    conversation, messages = converse(alice, ["q", "a", "then", "b"])
    show(alice, messages[1].pk)
    conversation.refresh_from_db()
    assert (conversation.head_id, conversation.leaves) == (messages[-1].pk, {})


def test_missing_leaf_is_harmless(alice, versions):
    old, new = versions
    for nonsense in (str(uuid.uuid4()), "nonsense", new.message):
        Conversation.objects.filter(pk=old.conversation).update(leaves={old.message: nonsense})
        Conversation.objects.get(pk=old.conversation).show(uuid.UUID(new.message))
        Conversation.objects.filter(pk=old.conversation).update(leaves={old.message: nonsense})
        show(alice, old.message)
        assert str(Conversation.objects.get(pk=old.conversation).head_id) == old.message


def test_switching_does_not_disturb_a_streaming_answer(alice, answering, provider):
    first = answering(alice, "First answer")
    first.exchange.finish()
    assert first.asked.end
    exchange = provider.expect(first.exchange.prompt)
    second = first.page.regenerate(first.asked.message)
    exchange.write_tokens("Second ", "answer")
    second.wait_text("Second answer")
    show(alice, first.asked.message)
    assert "First answer" in alice.get(f"/c/{second.conversation}/").text
    exchange.write_tokens(" goes on").finish()
    assert second.outcome == ("complete", "finished")
    assert "First answer" in alice.get(f"/c/{second.conversation}/").text
    show(alice, second.message)
    assert "Second answer goes on" in alice.get(f"/c/{second.conversation}/").text
