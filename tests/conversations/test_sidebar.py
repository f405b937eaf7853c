"""The list of conversations is grouped and paginated, and its cost does not depend on its length."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.web import sidebar
from tests.support.conversations import conversation
from tests.support.sidebar import groups, listed

DAY = timedelta(days=1)


def test_groups_by_time_newest_first(alice):
    for title, ago in [("old", 400 * DAY), ("new", 0 * DAY), ("yesterday", DAY), ("week", 5 * DAY)]:
        conversation(alice, title, ago=ago)
    found = groups(alice.get("/").html)
    assert [rows for _label, rows in found] == [["new"], ["yesterday"], ["week"], ["old"]]
    assert re.fullmatch(r"[A-Z][a-z]+ \d{4}", found[3][0])


def test_names_the_days(alice, noon):
    begun(alice, [NOON - days * DAY for days in (0, 1, 2, 7, 8, 40)])
    labels = [label for label, _rows in sidebar.list_page(alice.user).groups]
    assert labels == ["Today", "Yesterday", "Previous 7 days", "March 2026", "January 2026"]


def test_conversation_without_messages_is_not_listed(alice):
    Conversation.objects.create(owner=alice.user, title="Empty")
    assert listed(alice) == []


def test_other_peoples_conversations_are_not_listed(alice, bob):
    conversation(bob, "His")
    assert listed(alice) == []


def test_signed_out_visitor_is_redirected_to_sign_in(alice):
    assert alice.without_session().get("/sidebar/").location.startswith("/accounts/login/")


NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""The time in the tests that depend on the day, so that midnight cannot disturb them."""


@pytest.fixture
def noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def many(alice):
    """120 conversations of the last 80 days; ten of them, on the border of two pages, have the same moment."""
    return begun(alice, _moments())


def begun(person, moments):
    made = [Conversation(owner=person.user, title=f"number {n}", active_at=at) for n, at in enumerate(moments)]
    Conversation.objects.bulk_create(made)
    messages = [Message(conversation=each, role="user", content="x") for each in made]
    Message.objects.bulk_create(messages)
    for each, message in zip(made, messages, strict=True):
        each.head = message
    Conversation.objects.bulk_update(made, ["head"])
    return made


def _moments():
    return [
        *(NOON - n * timedelta(seconds=1) for n in range(45)),
        *[NOON - timedelta(seconds=50)] * 10,
        *(NOON - n * timedelta(hours=30) for n in range(55, 120)),
    ]


def pages(person, query=""):
    """All pages, as a person gets them by scrolling."""
    html = person.get(f"/sidebar/{query}").html
    found = [html]
    while more := re.search(r'hx-get="(/sidebar/\?[^"]*after=[^"]+)"', html):
        html = person.get(more[1].replace("&amp;", "&")).html
        found.append(html)
    return found


def test_pages_list_each_conversation_once(alice, many):
    found = pages(alice)
    titles = [[title for _label, rows in groups(page) for title in rows] for page in found]
    assert [len(page) for page in titles] == [50, 50, 20]
    assert sorted(title for page in titles for title in page) == sorted(each.title for each in many)


def test_next_page_does_not_repeat_the_group_label(alice, many, noon):
    first = sidebar.list_page(alice.user)
    second = sidebar.list_page(alice.user, after=first.next)
    assert first.groups[-1][0] == "Today"
    assert second.groups[0][0] == ""


def test_refresh_keeps_the_number_of_rows(alice, many):
    assert len(listed(alice, "?rows=100")) == 100
    assert len(listed(alice, "?rows=7")) == 50


def test_refresh_does_not_count_pinned_rows(alice, many):
    Conversation.objects.filter(pk__in=[each.pk for each in many[:5]]).update(pinned_at=NOON)
    assert len(listed(alice, "?rows=60")) == 65


def test_pins_beyond_the_first_hundred_stay_with_their_day(alice, many):
    for number, each in enumerate(many):
        each.pinned_at = NOON - timedelta(minutes=number)
    Conversation.objects.bulk_update(many, ["pinned_at"])
    (page,) = pages(alice)
    (label, pinned), *days = groups(page)
    assert (label, len(pinned)) == ("Pinned", sidebar.MAX_PINNED)
    assert sorted(pinned + [title for _label, rows in days for title in rows]) == sorted(each.title for each in many)


@pytest.mark.parametrize(
    "query", ["?rows=-1", "?rows=x", "?rows=99999999", "?after=", "?after=x_y", "?after=2026-13-45T00:00:00Z_x",
              "?after=2026-01-01T00:00:00_9f3b6c1e-5d2a-4c7b-8e1f-0a2b4c6d8e90",
              "?after=%00_9f3b6c1e-5d2a-4c7b-8e1f-0a2b4c6d8e90", "?rows=%C2%B2",
              "?after=0001-01-01T00:00:00%2B14:00_9f3b6c1e-5d2a-4c7b-8e1f-0a2b4c6d8e90",
              "?after=9999-12-31T23:59:59-14:00_9f3b6c1e-5d2a-4c7b-8e1f-0a2b4c6d8e90"],
)  # fmt: skip
def test_invalid_position_shows_the_first_page(alice, query):
    conversation(alice, "Here")
    assert listed(alice, query) == ["Here"]


def queries_of(person):
    with CaptureQueriesContext(connection) as queries:
        sidebar.list_page(person.user)
    return len(queries)


def test_number_of_queries_does_not_depend_on_length(alice, bob, many):
    conversation(bob)
    assert queries_of(alice) == queries_of(bob) <= 3


def test_page_is_read_in_index_order(alice, many):
    first = sidebar.list_page(alice.user)
    assert first.next is not None
    rows = Conversation.objects.visible_to(alice.user).begun().listed().newest_first()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        plan = rows.before(first.next.active_at, first.next.pk)[:51].explain()
        cursor.execute("RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_sort")
    assert "conversation_newest_first" in plan
    assert "Sort" not in plan
    assert re.search(r"Index Cond: .*active_at <=", plan)
