"""Staff can search, filter and sort the list of generations, and no input breaks it."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.test import RequestFactory

from conversations.admin.generations import changelist
from conversations.admin.generations.generation_admin import GenerationAdmin
from conversations.models import Conversation, Generation
from tests.support import generations
from tests.support.conversations import conversation

LIST = "/admin/conversations/generation/"
NOT_UNDERSTOOD = "That filter is not valid, so everything is listed."
STOP_TO_CLOSED = 7
"""The position of the column, counted after the checkboxes."""


@pytest.fixture
def finished(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    return generations.wait_ended(a.asked)


def found(staff, rows, **query):
    """Those of the generations that the list shows."""
    page = staff.get(f"{LIST}?{urlencode(query)}")
    assert page.status == 200, page.location
    return [row for row in rows if f"{row.pk}/change/" in page.html]


def test_finds_by_part_of_a_username(staff, alice, bob, stopped, finished):
    both = [stopped, finished]
    assert found(staff, both, person=alice.user.username[1:].upper()) == both
    assert found(staff, both, person=bob.user.username) == []


def test_finds_by_day(staff, alice, stopped):
    day = f"{stopped.requested_at:%Y-%m-%d}"
    who = {"person": alice.user.username}
    assert found(staff, [stopped], since=day, until=day, **who) == [stopped]
    assert found(staff, [stopped], since="2999-01-01", **who) == []
    assert found(staff, [stopped], until="1999-12-31", **who) == []


def test_finds_generations_that_need_review(staff, alice, failed, stopped, finished):
    """Failed generations need a review; those that people stopped themselves do not."""
    rows = [failed, stopped, finished]
    assert found(staff, rows, review="needed", person=alice.user.username) == [failed]
    Generation.objects.filter(pk=failed.pk).update(reviewed_at=failed.ended_at)
    assert found(staff, rows, review="needed", person=alice.user.username) == []
    assert found(staff, rows, review="done", person=alice.user.username) == [failed]


def test_generation_stopped_by_an_administrator_needs_review(staff, alice, answering):
    a = answering(alice)
    staff.post(f"{LIST}{a.asked.generation}/stop/")
    row = generations.wait_ended(a.asked)
    assert found(staff, [row], review="needed", person=alice.user.username) == [row]


def test_finds_by_reason_model_and_endpoint(staff, alice, stopped, finished):
    both = [stopped, finished]
    who = {"person": alice.user.username}
    assert found(staff, both, end_reason__exact="stopped", **who) == [stopped]
    assert found(staff, both, model=stopped.model, endpoint=stopped.endpoint, **who) == both
    assert found(staff, both, model="no-such-model", **who) == []


def test_searches_people_ids_and_titles(staff, alice, stopped, finished):
    both = [stopped, finished]
    for words in (stopped.pk, stopped.message_id, stopped.conversation_id, stopped.conversation.title):
        assert found(staff, both, q=words) == [stopped]
    assert found(staff, both, q=alice.user.username) == both


def test_only_staff_who_may_read_titles_can_search_them(clerk, stopped):
    assert found(clerk("view_generation"), [stopped], q=stopped.conversation.title) == []
    assert found(clerk("view_generation", "view_message"), [stopped], q=stopped.conversation.title) == [stopped]


VALUES = {
    "when": {"requested_at": lambda at, size: at + timedelta(seconds=size)},
    "first_token": {"first_token_at": lambda at, size: at + timedelta(seconds=size)},
    "stop_to_closed": {
        "stop_requested_at": lambda at, _size: at,
        "upstream_closed_at": lambda at, size: at + timedelta(seconds=size),
    },
    "tokens": {"tokens_out": lambda _at, size: size},
    "price": {"cost": lambda _at, size: size},
    "share": {"characters": lambda _at, size: size},
    "reviewed": {"reviewed_at": lambda at, size: at + timedelta(seconds=size)},
}
"""For each column, its fields as functions of a size: a larger size gives a larger value."""


@pytest.fixture
def put():
    """Store a generation whose value in a column has a size, or no value for None. The generation is from another day
    and is deleted at the end, because the summary of other tests begins with the first generation."""
    made = []

    def one(person, column, size):
        at = datetime(2026, 3, 4, tzinfo=UTC)
        values = {} if size is None else {name: value(at, size) for name, value in VALUES[column].items()}
        made.append(conversation(person))
        return Generation.objects.create(
            conversation=made[-1], message_id=made[-1].head_id, requested_by=person.user, kind="reply",
            model="alpha-model", status="complete", end_reason="finished", ended_at=at,
            **{"requested_at": at, **values},
        )  # fmt: skip

    yield one
    Conversation.objects.filter(pk__in=[each.pk for each in made]).delete()


@pytest.mark.parametrize("column", VALUES)
@pytest.mark.parametrize("descending", ["", "-"])
def test_rows_without_a_value_sort_last(staff, alice, put, column, descending):
    has_always = column in ("when", "share")
    sizes = [2, 1, 3] if has_always else [2, None, 1, 3]
    rows = {size: put(alice, column, size) for size in sizes}
    number = GenerationAdmin.list_display.index(column) + 1  # the checkboxes come first
    page = staff.get(f"{LIST}?{urlencode({'person': alice.user.username, 'o': f'{descending}{number}'})}")
    places = {size: page.html.index(f"{row.pk}/change/") for size, row in rows.items()}
    expected = [3, 2, 1] if descending else [1, 2, 3]
    assert sorted(sizes, key=places.get) == [*expected, *([] if has_always else [None])]


@pytest.mark.parametrize(
    "garbage",
    [
        "since=yesterday",
        "until=9999-12-31",
        "since=2026-02-30",
        "review=perhaps",
        "nonsense=1",
        "requested_at__gte=noon",
        "requested_by__id__exact=me",
        "id__exact=none",
        "model__regex=(",
        "person=%00",
        "model=%00",
        "status__exact=%00",
        "status__nonsense=1",
    ],
)
def test_invalid_filters_list_everything_with_a_message(staff, stopped, garbage):
    page = staff.get(f"{LIST}?{garbage}")
    assert (page.status, page.location) == (302, LIST)
    cookies = "; ".join(value.partition(";")[0] for value in page.headers.get_all("Set-Cookie", []))
    whole = staff.request("GET", LIST, headers={"Cookie": f"{staff.cookie}; {cookies}"})
    assert NOT_UNDERSTOOD in whole.text
    assert f"{stopped.pk}/change/" in whole.html
    assert staff.get(f"{LIST}export/?{garbage}").location == LIST


@pytest.mark.parametrize(
    "query",
    [
        "requested_by__id__exact=99999999999999999999",
        "status__exact=no-status",
        "end_reason__exact=no-reason",
        "q=" + quote("%_\\'\";--"),
        "q=%00",
        "o=99.-99.x",
        "e=1",
        "_facets=True",
        "all=",
        "p=1",
        "p=no-number",
    ],
)
def test_odd_queries_show_an_ordinary_list(staff, stopped, query):
    assert staff.get(f"{LIST}?{query}").status == 200


def test_times_use_the_named_admin_time_zone(start_server, staff, alice, put):
    """A quarter to midnight in UTC is the next day in Berlin, and the days of a filter are those of Berlin."""
    berlin = staff.at(start_server(TIME_ZONE="Europe/Berlin"))
    row = put(alice, "when", -15 * 60)  # 2026-03-03 23:45 UTC
    who = {"person": alice.user.username}
    page = berlin.get(f"{LIST}?{urlencode(who)}")
    assert "2026-03-04 00:45:00" in page.text
    assert "When (Europe/Berlin)" in page.text
    assert found(berlin, [row], since="2026-03-04", until="2026-03-04", **who) == [row]
    assert found(berlin, [row], until="2026-03-03", **who) == []
    assert found(staff, [row], until="2026-03-03", **who) == [row]
    one = berlin.get(f"{LIST}{row.pk}/change/")
    assert "2026-03-04 00:45:00" in one.text
    assert "Time (Europe/Berlin)" in one.text
    assert "Europe/Berlin" in berlin.get(f"{LIST}running/").text
    assert "Days and hours are UTC." in page.text


def test_sorting_by_a_rare_value_pages_through_rows_that_have_it(staff, alice, stopped, finished, monkeypatch):
    """The list shows only rows with a value if they fill its pages, because an index has them in order. CSV export and
    summary still contain all rows."""
    monkeypatch.setattr(changelist, "MAX_COUNT", 0)
    request = RequestFactory().get(LIST, {"person": alice.user.username, "o": f"-{STOP_TO_CLOSED}"})
    request.user = staff.user
    changes = admin.site.get_model_admin(Generation).get_changelist_instance(request)
    assert "NULLS" not in str(changes.paginator.object_list.query)
    assert list(changes.paginator.object_list) == [stopped]
    assert {row.pk for row in changes.queryset} == {stopped.pk, finished.pk}
