"""A pinned conversation is listed above all others."""

import uuid

import pytest

from tests.support.conversations import action_path, conversation
from tests.support.sidebar import groups


def test_pinned_conversation_is_listed_first(alice):
    old, newer, newest = (conversation(alice, title) for title in ("old", "newer", "newest"))
    assert alice.post(action_path(old, "pin")).location == f"/c/{old.pk}/"
    alice.post(action_path(newer, "pin"))
    assert groups(alice.get("/").html) == [("Pinned", ["newer", "old"]), ("Today", ["newest"])]
    assert newest


def test_unpinned_conversation_returns_to_its_day(alice):
    made = conversation(alice)
    alice.post(action_path(made, "pin"))
    alice.post(action_path(made, "unpin"))
    assert groups(alice.get("/").html) == [("Today", ["About bees"])]


def test_pinning_twice_is_harmless(alice):
    made = conversation(alice)
    assert {alice.post(action_path(made, "pin")).status for _ in range(2)} == {302}
    assert groups(alice.get("/").html) == [("Pinned", ["About bees"])]


def test_pinning_unarchives(alice):
    made = conversation(alice)
    alice.post(action_path(made, "archive"))
    alice.post(action_path(made, "pin"))
    assert groups(alice.get("/").html) == [("Pinned", ["About bees"])]
    assert groups(alice.get("/sidebar/?archived").html) == []


def test_other_pages_are_notified_of_a_pin(alice, socket):
    made = conversation(alice)
    page = socket(alice)
    alice.post(action_path(made, "pin"))
    assert page.wait("activity")["conversation"] == str(made.pk)


@pytest.mark.parametrize("action", ["pin", "unpin", "archive", "unarchive", "delete", "restore"])
def test_other_peoples_conversation_cannot_be_changed(alice, bob, action):
    made = conversation(alice)
    theirs, unknown = bob.post(action_path(made, action)), bob.post(f"/c/{uuid.uuid4()}/{action}/")
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404
    before = made.pinned_at, made.archived_at, made.deleted_at
    made.refresh_from_db()
    assert (made.pinned_at, made.archived_at, made.deleted_at) == before


@pytest.mark.parametrize("action", ["pin", "unpin", "archive", "unarchive", "delete", "restore"])
def test_signed_out_and_get_requests_change_nothing(alice, action):
    made = conversation(alice)
    assert alice.without_session().post(action_path(made, action)).location.startswith("/accounts/login/")
    assert alice.get(action_path(made, action)).status == 405
    assert groups(alice.get("/").html) == [("Today", ["About bees"])]
