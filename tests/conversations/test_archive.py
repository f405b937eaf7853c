"""Archive a conversation: out of the way, and not gone."""

from tests.support.conversations import action_path, conversation
from tests.support.sidebar import listed


def test_leaves_the_list_for_the_archive(alice):
    made, _other = conversation(alice), conversation(alice, "Other")
    assert alice.post(action_path(made, "archive")).location == f"/c/{made.pk}/"
    assert listed(alice) == ["Other"]
    assert listed(alice, "?archived") == ["About bees"]


def test_the_archive_is_always_offered(alice):
    made = conversation(alice)
    assert 'href="/?archived"' in alice.get("/").html
    alice.post(action_path(made, "archive"))
    assert "About bees" in alice.get("/?archived").text


def test_stays_readable_at_its_address(alice):
    made = conversation(alice)
    alice.post(action_path(made, "archive"))
    assert "Bees hum" in alice.get(f"/c/{made.pk}/").text


def test_comes_back_to_its_day(alice):
    made = conversation(alice)
    alice.post(action_path(made, "archive"))
    alice.post(action_path(made, "unarchive"))
    assert listed(alice) == ["About bees"]
    assert listed(alice, "?archived") == []


def test_of_a_pinned_one_unpins_it(alice):
    made = conversation(alice)
    alice.post(action_path(made, "pin"))
    alice.post(action_path(made, "archive"))
    assert listed(alice) == []
    assert listed(alice, "?archived") == ["About bees"]


def test_an_answer_being_written_goes_on(alice, answering):
    a = answering(alice)
    alice.post(f"/c/{a.asked.conversation}/archive/")
    a.exchange.finish()
    assert a.asked.end["status"] == "complete"
