"""A deleted conversation can be restored until it is removed for good."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from conversations.models import Conversation, Generation, Message
from conversations.operations import retention
from tests.support import generations
from tests.support.conversations import action_path, conversation
from tests.support.people import CSRF
from tests.support.polling import eventually
from tests.support.provider.endless import CLOSE_LIMIT, RATE, endless
from tests.support.sidebar import listed


def test_deleted_conversation_disappears_immediately(alice):
    made = conversation(alice)
    assert alice.post(action_path(made, "delete")).location == f"/?deleted={made.pk}"
    assert listed(alice) == []
    assert alice.get(f"/c/{made.pk}/").status == 404


def test_undo_restores_the_conversation(alice):
    made = conversation(alice)
    page = alice.get(alice.post(action_path(made, "delete")).location)
    assert "“About bees” was deleted." in page.text
    assert action_path(made, "restore") in page.html
    assert alice.post(action_path(made, "restore")).location == f"/c/{made.pk}/"
    assert listed(alice) == ["About bees"]
    assert "Bees hum" in alice.get(f"/c/{made.pk}/").text


def test_undo_keeps_pins(alice):
    made = conversation(alice)
    for action in ("pin", "delete", "restore"):
        alice.post(action_path(made, action))
    made.refresh_from_db()
    assert made.pinned_at


def test_undoing_twice_restores_once(alice):
    made = conversation(alice)
    alice.post(action_path(made, "delete"))
    assert {alice.post(action_path(made, "restore")).status for _ in range(2)} == {302}


def test_deleting_twice_finds_nothing_the_second_time(alice):
    made = conversation(alice)
    assert [alice.post(action_path(made, "delete")).status for _ in range(2)] == [302, 404]


def test_other_peoples_deletion_cannot_be_undone(alice, bob):
    made = conversation(alice)
    address = alice.post(action_path(made, "delete")).location
    assert "was deleted" not in bob.get(address).text
    assert "was deleted" not in bob.get("/?deleted=nonsense").text


def test_deleting_stops_the_streaming_answer(alice, answering):
    a = answering(alice)
    a.exchange.stream(endless(), RATE)
    a.asked.wait_text("word2")
    alice.post(f"/c/{a.asked.conversation}/delete/")
    a.exchange.wait_closed(CLOSE_LIMIT)
    assert a.asked.outcome == ("interrupted", "deleted")
    assert generations.text(a.asked).startswith("Bees humword1 word2 ")


def test_undo_restores_the_partial_answer(alice, answering):
    a = answering(alice)
    alice.post(f"/c/{a.asked.conversation}/delete/")
    assert a.asked.end
    alice.post(f"/c/{a.asked.conversation}/restore/")
    shown = alice.get(f"/c/{a.asked.conversation}/").text
    assert "Bees hum" in shown
    assert "Stopped because the conversation was deleted." in shown


def test_other_pages_are_notified_and_prompts_there_refused(alice, answering, socket):
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


def test_deleted_conversation_is_removed_after_the_retention_time(alice, kept_for_a_day):
    old, fresh, present = (conversation(alice, title) for title in ("old", "fresh", "present"))
    Conversation.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - timedelta(days=2))
    Conversation.objects.filter(pk=fresh.pk).update(deleted_at=timezone.now())
    while retention.purge_batch():
        pass
    left = {each.pk for each in Conversation.objects.filter(owner=alice.user)}
    assert left == {fresh.pk, present.pk}
    assert not Message.objects.filter(conversation_id=old.pk).exists()
    assert alice.post(action_path(old, "restore")).status == 404


def test_conversation_with_a_streaming_answer_is_not_removed(alice, answering, kept_for_a_day):
    a = answering(alice)
    Conversation.objects.filter(pk=a.asked.conversation).update(deleted_at=timezone.now() - timedelta(days=2))
    retention.purge_batch()
    assert Conversation.objects.filter(pk=a.asked.conversation).exists()
    assert a.asked.outcome == ("interrupted", "deleted")
    eventually(
        lambda: retention.purge_batch() or not Conversation.objects.filter(pk=a.asked.conversation).exists(), "its end"
    )
    assert not Generation.objects.filter(pk=a.asked.generation).exists()


# Recently deleted


def rows(person):
    """The titles on the page of recently deleted conversations."""
    return re.findall(r'deleted__title" dir="auto">([^<]*)<', person.get("/deleted/").html)


def test_recently_deleted_lists_newest_first_and_restores(alice):
    old, new, _kept = (conversation(alice, title) for title in ("Old", "New", "Kept"))
    now = timezone.now()
    Conversation.objects.filter(pk=old.pk).update(deleted_at=now - timedelta(days=20))
    Conversation.objects.filter(pk=new.pk).update(deleted_at=now)
    assert rows(alice) == ["New", "Old"]
    page = alice.get("/deleted/")
    assert "kept for 30 days" in page.text
    assert action_path(old, "restore") in page.html
    assert alice.post(action_path(old, "restore")).location == f"/c/{old.pk}/"
    assert sorted(listed(alice)) == ["Kept", "Old"]
    assert "Bees hum" in alice.get(f"/c/{old.pk}/").text
    assert rows(alice) == ["New"]


def test_page_names_the_day_of_removal(alice):
    made = conversation(alice)
    Conversation.objects.filter(pk=made.pk).update(deleted_at=datetime(2026, 3, 4, 12, tzinfo=UTC))
    assert "Deleted on March 4, 2026. Kept until April 3, 2026." in alice.get("/deleted/").text


def test_toast_says_how_long_and_where_it_is_kept(alice):
    page = alice.get(alice.post(action_path(conversation(alice), "delete")).location)
    assert "Kept for 30 days" in page.text
    assert 'href="/deleted/"' in page.html


def test_permanent_deletion_takes_effect_immediately(alice):
    made = conversation(alice)
    alice.post(action_path(made, "delete"))
    assert alice.post(action_path(made, "remove")).location == "/deleted/"
    assert not Conversation.objects.filter(pk=made.pk).exists()
    assert not Message.objects.filter(conversation_id=made.pk).exists()
    assert rows(alice) == []
    assert [alice.post(action_path(made, action)).status for action in ("remove", "restore")] == [404, 404]


def test_permanent_deletion_requires_deletion_first(alice, bob):
    made, gone = conversation(alice), conversation(alice)
    alice.post(action_path(gone, "delete"))
    assert alice.post(action_path(made, "remove")).status == 404
    assert bob.post(action_path(gone, "remove")).status == 404
    assert bob.get("/deleted/").text.count("About bees") == 0
    assert Conversation.objects.filter(pk__in=[made.pk, gone.pk]).count() == 2


def test_signed_out_visitor_is_redirected_from_recently_deleted(alice):
    stranger = alice.without_session()
    assert stranger.get("/deleted/").location.startswith("/accounts/login/")
    assert alice.get(action_path(conversation(alice), "remove")).status == 405


def test_dialog_refreshes_its_list_and_the_sidebar(alice):
    made = conversation(alice)
    alice.post(action_path(made, "delete"))
    form = {"HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded", "Origin": alice.server.url}
    page = alice.request("POST", action_path(made, "restore"), "list=", {**form, "X-CSRFToken": CSRF})
    assert page.status == 200
    assert "<html" not in page.html
    assert "“About bees” is back in your list." in page.text
    assert "sidebar:refresh" in page.headers["HX-Trigger"]
