"""The admin shows every generation and how it ended, and lets nobody change one."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.utils.functional import Promise

from conversations.models import Generation
from tests.support import people

LIST = "/admin/conversations/generation/"


def listed(staff, query):
    page = staff.get(f"{LIST}?{query}")
    assert page.status == 200, page.location
    return page.html


@pytest.mark.parametrize(
    "query",
    [
        "status__exact=interrupted",
        "end_reason__exact=stopped",
        "model__exact=alpha-model&status__exact=interrupted",
        "requested_by__id__exact={user}",
        "requested_at__gte={today}&status__exact=interrupted",
    ],
)
def test_filters_generations(staff, stopped, finished, query):
    today = f"{stopped.requested_at:%Y-%m-%d}"
    shown = listed(staff, query.format(user=stopped.requested_by_id, today=today))
    assert str(stopped.pk) in shown
    assert str(finished.pk) not in shown


def test_filters_exclude_other_models_and_days(staff, stopped):
    for query in ("model__exact=beta-model", "requested_at__gte=2999-01-01"):
        assert str(stopped.pk) not in listed(staff, query)


def test_list_shows_who_asked_and_how_it_ended(staff, stopped):
    page = staff.get(f"{LIST}?requested_by__id__exact={stopped.requested_by_id}")
    for words in (stopped.requested_by.username, "interrupted", "stopped", "alpha-model"):
        assert words in page.text


def test_detail_renders_partial_text_like_the_chat(staff, stopped):
    page = staff.get(f"{LIST}{stopped.pk}/change/")
    assert page.status == 200
    assert "<strong>hum</strong>" in page.html
    assert "You stopped this answer." in page.text
    assert "<script>alert" not in page.html


@pytest.mark.parametrize("kind", ["generation", "message", "conversation"])
def test_records_cannot_be_added_changed_or_deleted(staff, stopped, kind):
    pk = {"generation": stopped.pk, "message": stopped.message_id, "conversation": stopped.conversation_id}[kind]
    top = f"/admin/conversations/{kind}/"
    page = staff.get(f"{top}{pk}/change/")
    assert page.status == 200
    assert 'name="_save"' not in page.html
    assert staff.get(f"{top}add/").status == 403
    assert staff.get(f"{top}{pk}/delete/").status == 403
    assert staff.post(f"{top}{pk}/change/", status="complete").status == 403
    staff.post(top, action="delete_selected", _selected_action=str(pk), post="yes")
    assert Generation.objects.get(pk=stopped.pk).status == "interrupted"


@pytest.mark.parametrize("path", ["/admin/", LIST])
def test_only_staff_can_open_the_list(alice, path):
    assert "/login/" in alice.get(path).location


def test_staff_without_the_permission_cannot_open_the_list(server, stopped):
    clerk = people.new_person("clerk", server, is_staff=True)
    assert clerk.get(LIST).status == 403
    assert clerk.get(f"{LIST}{stopped.pk}/change/").status == 403


ALIKE = {"id", "name", "label", "endpoint", "default"}
"""Fields with the same name in every language of the interface."""

OTHERS = {"context_window"}


def test_every_visible_name_is_translatable():
    lacking = []
    for model, site in admin.site._registry.items():
        if model._meta.app_label != "conversations":
            continue
        names = {model._meta.verbose_name: model.__name__, model._meta.verbose_name_plural: f"{model.__name__}s"}
        shown = (
            {*flatten_fieldsets(site.get_fieldsets(None)), *site.list_display} if site.fieldsets or site.fields else ()
        )
        for field in model._meta.fields:
            if field.name in shown and field.name not in ALIKE | OTHERS:
                names[field.verbose_name] = f"{model.__name__}.{field.name}"
        lacking += [place for name, place in names.items() if not isinstance(name, Promise)]
    assert lacking == []
