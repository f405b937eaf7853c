"""A conversation can be renamed in place."""

import uuid

import pytest

from conversations.models import Conversation
from tests.support.conversations import action_path, conversation
from tests.support.sidebar import listed

HTMX = {"HX-Request": "true"}


def rename(person, made, title):
    return person.post(action_path(made, "rename"), title=title)


def test_new_title_appears_everywhere(alice):
    made = conversation(alice)
    page = rename(alice, made, "  Of   wasps ")
    assert (page.status, page.location) == (302, f"/c/{made.pk}/")
    assert listed(alice) == ["Of wasps"]
    assert "<title>Of wasps" in alice.get(f"/c/{made.pk}/").html


def test_renamed_title_is_marked_as_the_persons(alice):
    made = conversation(alice)
    rename(alice, made, "Of wasps")
    made.refresh_from_db()
    assert made.title_source == "person"


def test_unchanged_title_keeps_its_source(alice):
    made = conversation(alice)
    rename(alice, made, made.title)
    made.refresh_from_db()
    assert made.title_source == "prompt"


def test_all_pages_are_notified_of_a_rename(alice, socket):
    made = conversation(alice)
    pages = [socket(alice), socket(alice)]
    rename(alice, made, "Of wasps")
    for page in pages:
        heard = page.wait("activity")
        assert (heard["conversation"], heard["title"]) == (str(made.pk), "Of wasps")


def test_renaming_leaves_a_streaming_answer_alone(alice, answering):
    a = answering(alice)
    before = len(a.page.events)
    rename(alice, Conversation.objects.get(pk=a.asked.conversation), "Of wasps")
    heard = a.page.wait("activity", after=before)
    assert (heard["title"], heard["generation"]) == ("Of wasps", a.asked.generation)
    a.exchange.finish()
    assert a.asked.end
    assert a.page.wait("activity", after=before, generation=None)["title"] == "Of wasps"


@pytest.mark.parametrize("title", ["", "   ", "\0", "\n\t", "x" * 201, "x" * 5000])
def test_empty_or_overlong_title_is_refused(alice, title):
    made = conversation(alice)
    page = rename(alice, made, title)
    assert page.status == 400
    assert "A title " in page.text
    made.refresh_from_db()
    assert made.title == "About bees"


def test_refused_title_stays_in_the_form(alice):
    made = conversation(alice)
    typed = "long " * 100
    page = rename(alice, made, typed)
    assert typed.strip() in page.html
    assert "200 characters; this one has 499" in page.text


def test_markup_in_a_title_is_text(alice):
    made = conversation(alice)
    rename(alice, made, "<b>bold</b> & “so”")
    assert listed(alice) == ["<b>bold</b> & “so”"]
    assert "<b>bold" not in alice.get("/sidebar/").html


def test_last_of_two_tabs_wins(alice):
    made = conversation(alice)
    rename(alice, made, "First")
    rename(alice, made, "Second")
    assert listed(alice) == ["Second"]


def test_form_replaces_the_row_and_gives_it_back(alice):
    made = conversation(alice)
    form = alice.get(action_path(made, "rename"), **HTMX).html
    assert f'id="item-{made.pk}"' in form
    assert 'value="About bees"' in form
    assert "About bees</a>" in alice.get(action_path(made, "row"), **HTMX).html


@pytest.mark.parametrize("action", ["rename", "row", "options"])
def test_other_peoples_conversation_cannot_be_renamed(alice, bob, action):
    made = conversation(alice)
    theirs, unknown = bob.get(action_path(made, action)), bob.get(f"/c/{uuid.uuid4()}/{action}/")
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404
    assert rename(bob, made, "Mine").status == 404
    made.refresh_from_db()
    assert made.title == "About bees"


def test_signed_out_rename_redirects_to_sign_in(alice):
    assert rename(alice.without_session(), conversation(alice), "x").location.startswith("/accounts/login/")


def test_deleted_conversation_cannot_be_renamed(alice):
    made = conversation(alice)
    alice.post(action_path(made, "delete"))
    assert rename(alice, made, "Back").status == 404


def test_conversation_menu_works_without_scripts(alice):
    made = conversation(alice)
    page = alice.get(action_path(made, "options")).html
    for action in ("rename", "pin", "archive", "delete"):
        assert f'action="{action_path(made, action)}"' in page
