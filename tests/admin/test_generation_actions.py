"""Staff can stop, watch and review generations."""

import re
import uuid

import pytest

from conversations.models import AuditEntry, Generation, StopOrigin
from tests.support import generations
from tests.support.people import words
from tests.support.polling import eventually

LIST = "/admin/conversations/generation/"


def audited(staff):
    return list(AuditEntry.objects.filter(staff_id=staff.user.pk).exclude(action="read").values_list("action", "what"))


# Stop


def test_stop_ends_the_answer_and_tells_the_person(staff, alice, answering):
    a = answering(alice)
    page = staff.post(f"{LIST}{a.asked.generation}/stop/")
    assert (page.status, page.location) == (302, f"{LIST}{a.asked.generation}/change/")
    assert a.exchange.wait_closed()
    assert a.asked.outcome == ("interrupted", "stopped_by_admin")
    assert "Stopped by an administrator." in words(a.asked.end["note"])
    row = generations.get(a.asked)
    assert (row.stop_origin, row.stopped_by_id) == (StopOrigin.ADMIN, staff.user.pk)
    assert audited(staff) == [("stopped", f"generation {row.pk}")]
    assert f"{staff.user.username} (the admin)" in staff.get(page.location).text


def test_stopping_an_ended_generation_changes_nothing(staff, finished):
    for _ in range(2):
        assert staff.post(f"{LIST}{finished.pk}/stop/").status == 302
    row = Generation.objects.get(pk=finished.pk)
    assert (row.status, row.stop_origin) == ("complete", "")
    assert audited(staff) == []


def test_unknown_generation_redirects_to_the_list(staff):
    for action in ("stop", "review"):
        page = staff.post(f"{LIST}{uuid.uuid4()}/{action}/")
        assert (page.status, page.location) == (302, LIST)


def test_get_request_neither_stops_nor_reviews(staff, stopped):
    for action in ("stop", "review"):
        assert staff.get(f"{LIST}{stopped.pk}/{action}/").status == 405


# Live generations


def test_lists_live_generations(staff, alice, answering, socket):
    a = answering(alice, "Bees ", "hum")
    socket(alice).watch(a.asked.conversation)

    def row():
        page = staff.get(f"{LIST}running/rows/")
        rows = [each for each in page.html.split("<tr>") if a.asked.generation in each]
        return words(rows[0]) if rows else ""

    shown = re.compile(rf"{alice.user.username} \d+ 8 ≈ 2 2")
    eventually(lambda: shown.search(row()), "person, age, characters, tokens and viewers")
    assert "(this one)" in row()
    a.exchange.finish()
    assert a.asked.end
    eventually(lambda: not row(), "gone from the list")


def test_stop_from_the_live_list_returns_to_it(staff, alice, answering):
    a = answering(alice)
    page = staff.post(f"{LIST}{a.asked.generation}/stop/", back="running")
    assert page.location == f"{LIST}running/"
    assert a.asked.outcome == ("interrupted", "stopped_by_admin")


# Reviews


def test_review_stores_note_and_reviewer(staff, stopped):
    assert staff.post(f"{LIST}{stopped.pk}/review/", note="=The provider <b>hung</b>").status == 302
    row = Generation.objects.get(pk=stopped.pk)
    assert (row.reviewed_by_id, row.review_note) == (staff.user.pk, "=The provider <b>hung</b>")
    assert row.reviewed_at >= row.ended_at
    page = staff.get(f"{LIST}{stopped.pk}/change/")
    assert "=The provider <b>hung</b>" in page.text
    assert "<b>hung" not in page.html
    assert staff.user.username in page.text
    assert audited(staff) == [("reviewed", f"generation {row.pk}")]


def test_second_review_replaces_the_note(staff, stopped):
    for note in ("first", "second"):
        staff.post(f"{LIST}{stopped.pk}/review/", note=note)
    assert Generation.objects.get(pk=stopped.pk).review_note == "second"


def test_overlong_review_note_is_refused(staff, stopped):
    assert staff.post(f"{LIST}{stopped.pk}/review/", note="x" * 2001).status == 302
    assert Generation.objects.get(pk=stopped.pk).reviewed_at is None


def test_streaming_generation_cannot_be_reviewed(staff, alice, answering):
    a = answering(alice)
    staff.post(f"{LIST}{a.asked.generation}/review/", note="too early")
    assert generations.get(a.asked).reviewed_at is None
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")


def test_bulk_review_marks_generations_that_need_it(staff, stopped, finished):
    selected = {"action": "mark_reviewed", "select_across": "0", "index": "0"}
    body = [*selected.items(), ("_selected_action", stopped.pk), ("_selected_action", finished.pk)]
    assert staff.post_pairs(LIST, body).status == 302
    stopped.refresh_from_db()
    finished.refresh_from_db()
    assert stopped.reviewed_by_id == staff.user.pk
    assert finished.reviewed_at is None
    assert audited(staff) == [("reviewed", f"generation {stopped.pk}")]


def test_bulk_review_covers_the_whole_filter(staff, alice, answering):
    a = answering(alice)
    a.exchange.cut()
    failed = generations.wait_ended(a.asked)
    query = f"?review=needed&person={alice.user.username}"
    selected = {"action": "mark_reviewed", "select_across": "1", "index": "0", "_selected_action": str(failed.pk)}
    assert str(failed.pk) in staff.get(LIST + query).html
    assert staff.post(LIST + query, **selected).status == 302
    assert str(failed.pk) not in staff.get(LIST + query).html
    assert str(failed.pk) in staff.get(f"{LIST}?review=done&person={alice.user.username}").html


# One generation


def test_detail_shows_the_timeline(staff, stopped):
    page = staff.get(f"{LIST}{stopped.pk}/change/")
    timeline = page.text.partition("Timeline")[2].partition("The conversation around it")[0]
    places = [
        timeline.index(name)
        for name in ("Asked", "Upstream opened", "First token", "Stop asked", "Upstream closed", "Ended")
    ]
    assert places == sorted(places)
    closing = round((stopped.upstream_closed_at - stopped.stop_requested_at).total_seconds() * 1000)
    assert f" {closing} " in timeline


def test_detail_shows_the_surrounding_conversation(staff, alice, answering, provider):
    a = answering(alice, "Bees ", "hum")
    a.asked.stop()
    assert a.asked.end
    following = provider.expect()
    asked = a.page.ask(following.prompt, after=a.asked)
    following.write_tokens("They **dance**.").finish()
    assert asked.end
    page = staff.get(f"{LIST}{a.asked.generation}/change/")
    for text in (a.exchange.prompt, "Bees hum", "You stopped this answer.", following.prompt, "They dance."):
        assert text in page.text
    assert "Answer to the next prompt" in page.text
    assert f"{LIST}{asked.generation}/change/" in page.html


def test_generation_longer_than_usual_has_no_share_written(staff, alice, answering, provider):
    """Nothing says how long the answer would have become."""
    short = answering(alice, "Bees")
    short.exchange.finish()
    assert short.asked.end
    a = answering(alice, *(["many words about bees "] * 400))
    a.asked.stop()
    page = staff.get(f"{LIST}{generations.wait_ended(a.asked).pk}/change/")
    assert page.text.partition("Share written:")[2].split()[0] == "–"


@pytest.mark.parametrize(("action", "how"), [("regenerate", "Regenerated"), ("continue_", "Continued")])
def test_detail_links_to_the_replacement(staff, alice, answering, provider, action, how):
    a = answering(alice, "Bees ", "hum")
    a.asked.stop()
    assert a.asked.end
    again = provider.expect(a.exchange.prompt)
    asked = getattr(a.page, action)(a.asked.message)
    again.write_tokens(" all day long").finish()
    assert asked.end
    page = staff.get(f"{LIST}{a.asked.generation}/change/")
    assert how in page.text
    assert f"{LIST}{asked.generation}/change/" in page.html
    share = page.text.partition("Share written:")[2].split()
    assert share[:2] == (["38", "%"] if action == "continue_" else ["≈", "62"])


def test_detail_links_to_the_answer_of_the_edited_prompt(staff, alice, answering, provider):
    a = answering(alice)
    a.asked.stop()
    prompt = str(generations.wait_ended(a.asked).message.parent_id)
    edited = provider.expect()
    asked = a.page.edit(prompt, edited.prompt)
    edited.write_tokens("Yes.").finish()
    assert asked.end
    page = staff.get(f"{LIST}{a.asked.generation}/change/")
    assert "Answer to the edited prompt" in page.text
    assert f"{LIST}{asked.generation}/change/" in page.html


def test_deleted_generation_redirects_to_the_list(staff, stopped):
    stopped.conversation.delete()
    assert staff.get(f"{LIST}{stopped.pk}/change/").location == "/admin/"
    assert staff.post(f"{LIST}{stopped.pk}/review/", note="").location == LIST
