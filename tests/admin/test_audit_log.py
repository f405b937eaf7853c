"""Before staff see another person's conversation, an entry is written to the audit log that nobody can change."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import RequestFactory

from conversations.models import AuditEntry, Generation
from tests.support import generations

TOP = "/admin/conversations/"
KINDS = ["generation", "message", "conversation"]


def page_of(kind, generation):
    pk = {"generation": generation.pk, "message": generation.message_id, "conversation": generation.conversation_id}[
        kind
    ]
    return pk, f"{TOP}{kind}/{pk}/change/"


def entries(staff):
    found = AuditEntry.objects.filter(staff_id=staff.user.pk).order_by("pk")
    return list(found.values_list("action", "what", "conversation_id", "owner_name"))


@pytest.mark.parametrize("kind", KINDS)
def test_reading_a_conversation_is_logged(staff, alice, stopped, kind):
    pk, path = page_of(kind, stopped)
    assert "<strong>hum</strong>" in staff.get(path).html
    assert entries(staff) == [("read", f"{kind} {pk}", stopped.conversation_id, alice.user.username)]


@pytest.mark.parametrize("kind", KINDS)
def test_search_results_show_no_text(staff, stopped, kind):
    title = stopped.conversation.title
    words = stopped.message.content if kind == "message" else title
    found = staff.get(f"{TOP}{kind}/?{urlencode({'q': words})}")
    assert page_of(kind, stopped)[1] in found.html
    assert "<strong>hum" not in found.html
    assert found.html.count(title) == found.html.count(f'value="{title}"')  # the words of the search, and no others
    assert entries(staff) == [("searched", f"{kind}: {words}", None, "")]


@pytest.mark.parametrize("kind", KINDS)
def test_history_page_does_not_bypass_the_log(staff, stopped, kind):
    assert staff.get(page_of(kind, stopped)[1].replace("change", "history")).status == 404
    assert entries(staff) == []


def test_reading_ones_own_conversation_is_not_logged(staff, answering):
    a = answering(staff)
    a.asked.stop()
    assert staff.get(page_of("generation", generations.wait_ended(a.asked))[1]).status == 200
    assert entries(staff) == []


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_not_shown_when_logging_fails(staff, stopped, kind, monkeypatch):
    def away(*_args, **_kwargs):
        raise OperationalError

    monkeypatch.setattr(AuditEntry, "save", away)
    pk, path = page_of(kind, stopped)
    request = RequestFactory().get(path)
    request.user = staff.user
    model = {model._meta.model_name: model for model in admin.site._registry}[kind]
    with pytest.raises(OperationalError):
        admin.site.get_model_admin(model).change_view(request, str(pk))


def test_viewing_metadata_alone_is_not_logged(clerk, stopped):
    viewer = clerk("view_generation")
    page = viewer.get(page_of("generation", stopped)[1])
    assert page.status == 200
    assert "hum" not in page.text
    assert stopped.conversation.title not in page.html
    assert entries(viewer) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE conversations_auditentry SET what = 'nothing' WHERE id = %s",
        "DELETE FROM conversations_auditentry WHERE id = %s",
    ],
)
def test_database_refuses_to_change_the_log(staff, stopped, statement):
    staff.get(page_of("generation", stopped)[1])
    entry = AuditEntry.objects.get(staff_id=staff.user.pk)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [entry.pk])
    assert AuditEntry.objects.filter(pk=entry.pk, what=entry.what).exists()


def test_log_outlives_conversation_and_accounts(staff, alice, stopped):
    staff.get(page_of("generation", stopped)[1])
    name, pk = staff.user.username, staff.user.pk
    Generation.objects.get(pk=stopped.pk).conversation.delete()
    staff.user.delete()
    entry = AuditEntry.objects.get(staff_id=pk)
    assert (entry.staff_name, entry.owner_name) == (name, alice.user.username)


def test_log_is_read_only(staff, stopped):
    staff.get(page_of("generation", stopped)[1])
    entry = AuditEntry.objects.get(staff_id=staff.user.pk)
    top = f"{TOP}auditentry/"
    listed = staff.get(f"{top}?{urlencode({'q': staff.user.username})}")
    assert f"generation {stopped.pk}" in listed.text
    page = staff.get(f"{top}{entry.pk}/change/")
    assert staff.user.username in page.text
    assert 'name="_save"' not in page.html
    assert staff.get(f"{top}add/").status == 403
    assert staff.post(f"{top}{entry.pk}/change/", what="nothing").status == 403
    assert staff.post(f"{top}{entry.pk}/delete/", post="yes").status == 403
