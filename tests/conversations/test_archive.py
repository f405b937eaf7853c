"""An archived conversation leaves the list but stays readable."""

from tests.support.conversations import action_path, conversation
from tests.support.sidebar import listed


def test_archived_conversation_leaves_the_list(alice):
    made, _other = conversation(alice), conversation(alice, "Other")
    assert alice.post(action_path(made, "archive")).location == f"/c/{made.pk}/"
    assert listed(alice) == ["Other"]
    assert listed(alice, "?archived") == ["About bees"]


def test_archive_is_always_offered(alice):
    made = conversation(alice)
    assert 'href="/?archived"' in alice.get("/").html
    alice.post(action_path(made, "archive"))
    assert "About bees" in alice.get("/?archived").text


def test_archived_conversation_stays_readable(alice):
    made = conversation(alice)
    alice.post(action_path(made, "archive"))
    assert "Bees hum" in alice.get(f"/c/{made.pk}/").text


def test_unarchived_conversation_returns_to_its_day(alice):
    made = conversation(alice)
    alice.post(action_path(made, "archive"))
    alice.post(action_path(made, "unarchive"))
    assert listed(alice) == ["About bees"]
    assert listed(alice, "?archived") == []


def test_archiving_unpins(alice):
    made = conversation(alice)
    alice.post(action_path(made, "pin"))
    alice.post(action_path(made, "archive"))
    assert listed(alice) == []
    assert listed(alice, "?archived") == ["About bees"]


def test_archiving_leaves_a_streaming_answer_alone(alice, answering):
    a = answering(alice)
    alice.post(f"/c/{a.asked.conversation}/archive/")
    a.exchange.finish()
    assert a.asked.end["status"] == "complete"
