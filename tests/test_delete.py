"""Delete a conversation, take it back, and what is gone for good."""

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import trash
from conversations.models import Conversation, Generation, Message
from tests import stored
from tests.shelves import conversation, listed, path
from tests.test_stop import RATE, SOON, endless
from tests.waiting import eventually


def test_is_out_of_sight_at_once(alice):
    made = conversation(alice)
    assert alice.post(path(made, "delete")).location == f"/?deleted={made.pk}"
    assert listed(alice) == []
    assert alice.get(f"/c/{made.pk}/").status == 404


def test_undo_is_offered_and_brings_it_back(alice):
    made = conversation(alice)
    page = alice.get(alice.post(path(made, "delete")).location)
    assert "“About bees” was deleted." in page.text
    assert path(made, "restore") in page.html
    assert alice.post(path(made, "restore")).location == f"/c/{made.pk}/"
    assert listed(alice) == ["About bees"]
    assert "Bees hum" in alice.get(f"/c/{made.pk}/").text


def test_undo_keeps_pins(alice):
    made = conversation(alice)
    for action in ("pin", "delete", "restore"):
        alice.post(path(made, action))
    made.refresh_from_db()
    assert made.pinned_at


def test_undo_twice_is_once(alice):
    made = conversation(alice)
    alice.post(path(made, "delete"))
    assert {alice.post(path(made, "restore")).status for _ in range(2)} == {302}


def test_twice_finds_nothing_the_second_time(alice):
    made = conversation(alice)
    assert [alice.post(path(made, "delete")).status for _ in range(2)] == [302, 404]


def test_somebody_elses_deletion_is_not_offered_back(alice, bob):
    made = conversation(alice)
    address = alice.post(path(made, "delete")).location
    assert "was deleted" not in bob.get(address).text
    assert "was deleted" not in bob.get("/?deleted=nonsense").text


def test_ends_the_answer_that_is_being_written(alice, answering):
    a = answering(alice)
    a.exchange.stream(endless(), RATE)
    a.asked.wait_text("word2")
    alice.post(f"/c/{a.asked.conversation}/delete/")
    a.exchange.wait_closed(SOON)
    assert a.asked.outcome == ("interrupted", "deleted")
    assert stored.text(a.asked).startswith("Bees humword1 word2 ")


def test_what_was_written_is_there_after_undo(alice, answering):
    a = answering(alice)
    alice.post(f"/c/{a.asked.conversation}/delete/")
    assert a.asked.end
    alice.post(f"/c/{a.asked.conversation}/restore/")
    shown = alice.get(f"/c/{a.asked.conversation}/").text
    assert "Bees hum" in shown
    assert "Stopped because the conversation was deleted." in shown


def test_other_pages_hear_of_it_and_a_prompt_there_is_refused(alice, answering, socket):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    other = socket(alice)
    alice.post(f"/c/{a.asked.conversation}/delete/")
    assert other.wait("activity")["conversation"] == a.asked.conversation
    before = other.send("send", id="0197a000-0000-7000-8000-000000000001", conversation=a.asked.conversation,
                        parent=a.asked.message, content="Still there?")  # fmt: skip
    assert other.wait("refused", after=before)["code"] == "not_found"


@pytest.fixture
def kept_for_a_day(settings):
    settings.CHAT_KEEP_DELETED = 1


def test_is_gone_for_good_after_its_time(alice, kept_for_a_day):
    old, fresh, present = (conversation(alice, title) for title in ("old", "fresh", "present"))
    Conversation.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - timedelta(days=2))
    Conversation.objects.filter(pk=fresh.pk).update(deleted_at=timezone.now())
    while trash.empty():
        pass
    left = {each.pk for each in Conversation.objects.filter(owner=alice.user)}
    assert left == {fresh.pk, present.pk}
    assert not Message.objects.filter(conversation_id=old.pk).exists()
    assert alice.post(path(old, "restore")).status == 404


def test_nothing_that_is_still_being_written_is_removed(alice, answering, kept_for_a_day):
    a = answering(alice)
    Conversation.objects.filter(pk=a.asked.conversation).update(deleted_at=timezone.now() - timedelta(days=2))
    trash.empty()
    assert Conversation.objects.filter(pk=a.asked.conversation).exists()
    assert a.asked.outcome == ("interrupted", "deleted")
    eventually(lambda: trash.empty() or not Conversation.objects.filter(pk=a.asked.conversation).exists(), "its end")
    assert not Generation.objects.filter(pk=a.asked.generation).exists()
