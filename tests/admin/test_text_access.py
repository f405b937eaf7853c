"""Searches and filters in the admin reveal no text without the permission and an entry in the audit log."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import connection, transaction
from django.test import RequestFactory

from conversations.admin import capped_changelist
from conversations.admin.conversations import MAX_MESSAGES
from conversations.models import AuditEntry, Conversation, Generation, Message
from tests.support.conversations import conversation

TOP = "/admin/conversations/"
TITLE = "I was diagnosed with lupus"
TOO_LONG = "The search timed out, so everything is listed. Narrow the filter."


@pytest.fixture
def made(alice):
    return conversation(alice, TITLE, system_prompt="I am a nurse")


def page_of(record):
    return f"{TOP}{record._meta.model_name}/{record.pk}/change/"


def searches(person):
    found = AuditEntry.objects.filter(staff_id=person.user.pk, action="searched").order_by("pk")
    return list(found.values_list("what", flat=True))


LOOKUPS = {
    "conversation": [
        "title__startswith=I",
        "title=I+was+diagnosed+with+lupus",
        "title__length=26",
        "system_prompt__contains=nurse",
        "messages__content__contains=Bees",
        "head__content__startswith=B",
        "leaves__isnull=False",
        "owner__password__startswith=p",
        "owner__conversations__title__startswith=I",
        "_to_field=title",
    ],
    "message": [
        "content__startswith=B",
        "content__length=8",
        "conversation__title__startswith=I",
        "conversation__system_prompt__contains=nurse",
        "parent__content__startswith=T",
        "generation__end_reason__title=B",
        "generation__conversation__title__startswith=I",
    ],
    "generation": [
        "message__content__startswith=B",
        "conversation__title__startswith=I",
        "continued_from__content__startswith=B",
        "requested_by__password__startswith=p",
    ],
}
GUESSES = [(kind, lookup) for kind, lookups in LOOKUPS.items() for lookup in lookups]


@pytest.mark.parametrize(("kind", "lookup"), GUESSES)
def test_query_string_on_text_fields_redirects_to_the_full_list(clerk, made, kind, lookup):
    """A right and a wrong guess get the same response, so nobody can find out a text by guessing."""
    nosy = clerk("view_conversation", "view_message", "view_generation")
    page = nosy.get(f"{TOP}{kind}/?{lookup}")
    assert (page.status, page.location) == (302, f"{TOP}{kind}/")
    assert searches(nosy) == []


TEXTS = {"title", "system_prompt", "content", "text", "leaves", "vector", "password", "email"}


def paths(model, depth):
    """Every path from a row to a field with text, over `depth` relations or fewer."""
    for field in model._meta.get_fields(include_hidden=True):
        if not field.is_relation:
            if field.name in TEXTS:
                yield field.name
        elif depth and field.related_model is not None:
            yield from (f"{field.name}__{rest}" for rest in paths(field.related_model, depth - 1))


@pytest.mark.parametrize("model", [Conversation, Message, Generation, AuditEntry])
def test_related_rows_do_not_expose_text(model):
    site = admin.site.get_model_admin(model)
    request = RequestFactory().get("/")
    asked = [f"{path}{how}" for path in paths(model, 3) for how in ("", "__startswith", "__regex", "__in", "__isnull")]
    assert len(asked) > 100
    assert [lookup for lookup in asked if site.lookup_allowed(lookup, "a", request)] == []


def test_only_staff_who_may_read_titles_find_them(clerk, made):
    blind, reader = clerk("view_conversation"), clerk("view_conversation", "view_message")
    address = f"{TOP}conversation/?{urlencode({'q': 'lupus'})}"
    assert page_of(made) not in blind.get(address).html
    assert searches(blind) == []
    assert page_of(made) in reader.get(address).html
    assert searches(reader) == ["conversation: lupus"]


def test_message_search_is_logged(clerk, made):
    reader = clerk("view_message")
    prompt = Message.objects.get(conversation=made, role="user")
    assert page_of(prompt) in reader.get(f"{TOP}message/?q=diagnosed+with").html
    assert searches(reader) == ["message: diagnosed with"]


def test_generation_search_is_logged_when_it_matches_titles(clerk, made):
    blind, reader = clerk("view_generation"), clerk("view_generation", "view_message")
    for person in (blind, reader):
        assert person.get(f"{TOP}generation/?q=lupus").status == 200
    assert (searches(blind), searches(reader)) == ([], ["generation: lupus"])


@pytest.mark.parametrize("kind", ["conversation", "message"])
def test_searching_an_id_is_not_a_text_search(clerk, made, kind):
    clerk_ = clerk(f"view_{kind}")
    record = made if kind == "conversation" else Message.objects.get(pk=made.head_id)
    assert page_of(record) in clerk_.get(f"{TOP}{kind}/?q={made.pk}").html
    assert searches(clerk_) == []


@pytest.mark.parametrize("field", ["conversation", "message", "continued_from"])
def test_autocomplete_is_refused(staff, clerk, made, field):
    query = urlencode({"app_label": "conversations", "model_name": "generation", "field_name": field, "term": ""})
    for person in (staff, clerk("view_conversation", "view_message", "view_generation")):
        page = person.get(f"/admin/autocomplete/?{query}")
        assert page.status == 403
        assert TITLE not in page.html


@pytest.mark.parametrize("order", ["1", "-2", "3.-5", "9", "-6"])
def test_lists_cannot_be_sorted_by_text(clerk, alice, order):
    texts = ("zebra", "apple", "mango")
    made = [conversation(alice, text) for text in texts]
    page = clerk("view_conversation").get(
        f"{TOP}conversation/?{urlencode({'o': order, 'person': alice.user.username})}"
    )
    places = {text: page.html.index(page_of(each)) for text, each in zip(texts, made, strict=True)}
    assert sorted(texts, key=places.get) != sorted(texts)
    assert sorted(texts, key=places.get) != sorted(texts, reverse=True)


def timeout():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()


def test_slow_list_shows_a_message(staff, monkeypatch):
    """The time limit applies to that list only."""

    def slow(_self, _request, queryset, _term):
        return queryset.extra(where=["pg_sleep(5) IS NOT NULL"]), False

    usual = timeout()
    monkeypatch.setattr(capped_changelist, "QUERY_TIMEOUT", 0.05)
    site = admin.site.get_model_admin(Message)
    monkeypatch.setattr(type(site), "get_search_results", slow)
    request = RequestFactory().get(f"{TOP}message/", {"q": "bees"})
    request.user, request.session = staff.user, {}
    request._messages = FallbackStorage(request)
    assert site.changelist_view(request).url == f"{TOP}message/"
    assert [str(said) for said in request._messages] == [TOO_LONG]
    assert timeout() == usual


def test_newest_conversations_are_read_from_an_index(made):
    site = admin.site.get_model_admin(Conversation)
    rows = Conversation.objects.select_related("owner").order_by(*site.ordering, "-pk")[:100]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        plan = rows.explain()
    assert "conversation_by_activity" in plan
    assert "Sort" not in plan


def test_long_conversation_is_paginated(staff, alice):
    made = conversation(alice)
    parent, ids = Message.objects.get(pk=made.head_id), []
    for number in range(MAX_MESSAGES + 5):
        role = "user" if number % 2 == 0 else "assistant"
        parent = Message.objects.create(conversation=made, parent=parent, role=role, content=f"number{number}.")
        ids.append(parent.pk)
    made.show(parent.pk)
    address = page_of(made)
    last = staff.get(address)
    assert "number4." not in last.text
    assert last.html.count('class="answer"') == MAX_MESSAGES
    assert f'href="?until={ids[4]}"' in last.html
    first = staff.get(f"{address}?until={ids[4]}")
    assert [f"number{number}." in first.text for number in (0, 4, 5)] == [True, True, False]
    assert "Earlier messages" not in first.text
    read = AuditEntry.objects.filter(staff_id=staff.user.pk, action="read", conversation_id=made.pk)
    assert read.count() == 2


@pytest.mark.parametrize("until", ["nonsense", "%00", "{other}"])
def test_page_of_another_conversation_is_not_shown(staff, alice, bob, until):
    made, other = conversation(alice), conversation(bob, "secret hives")
    page = staff.get(f"{page_of(made)}?until={until.format(other=other.head_id)}")
    assert "Tell me about bees" in page.text
    assert "secret hives" not in page.text
