"""The CSV export contains the filtered or selected generations, in a form that spreadsheets read correctly."""

import csv
import io
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from conversations.admin.generations import csv_export
from conversations.admin.generations.csv_export import BATCH_SIZE
from conversations.models import AuditEntry, Conversation, Generation, Message
from conversations.storage.db_threads import in_database
from tests.support import people

LIST = "/admin/conversations/generation/"


def rows(page):
    assert page.status == 200, page.html
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(page.html)))


def exported(staff, person, **query):
    return rows(staff.get(f"{LIST}export/?{urlencode({'person': person.user.username, **query})}"))


def many(person, count):
    """Ended generations, created inside the database; each moment has two of them."""
    talk = Conversation.objects.create(owner=person.user, title="Many")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH answers AS (
                INSERT INTO conversations_message (id, conversation_id, role, content, status, created_at)
                SELECT gen_random_uuid(), %s, 'assistant', '', 'complete', now() FROM generate_series(1, %s)
                RETURNING id
            )
            INSERT INTO conversations_generation (
                id, conversation_id, message_id, requested_by_id, kind, endpoint, model, status, end_reason, error_code,
                detail, requested_at, ended_at, stop_reason, characters, usage_source)
            SELECT id, %s, id, %s, 'reply', '', 'many', 'complete', 'finished', '', '',
                   now() - (row_number() OVER () / 2) * interval '1 second', now(), '', 0, ''
            FROM answers
            """,
            [talk.pk, count, talk.pk, person.user.pk],
        )
    return talk


def test_export_contains_the_filtered_list(staff, alice, bob, answering, stopped):
    answering(bob).exchange.finish()
    (row,) = exported(staff, alice)
    assert row["id"] == str(stopped.pk)
    assert (row["status"], row["end_reason"], row["stop_origin"]) == ("interrupted", "stopped", "page")
    assert (row["requested_by"], row["stopped_by"]) == (alice.user.username, alice.user.username)
    closed = (stopped.upstream_closed_at - stopped.stop_requested_at).total_seconds() * 1000
    assert int(row["stop_to_closed_ms"]) == round(closed)
    assert exported(staff, alice, status__exact="complete") == []


def test_export_contains_no_text_of_people_or_models(staff, stopped):
    page = staff.get(f"{LIST}export/?q={stopped.pk}")
    assert stopped.conversation.title not in page.html
    assert "hum" not in page.html


def test_export_contains_the_selection(staff, alice, stopped):
    form = {"action": "export_selected", "select_across": "0", "index": "0", "_selected_action": str(stopped.pk)}
    (row,) = rows(staff.post(LIST, **form))
    assert row["id"] == str(stopped.pk)


def test_export_is_logged(staff, alice, stopped):
    exported(staff, alice)
    entry = AuditEntry.objects.get(staff_id=staff.user.pk)
    assert (entry.action, entry.what) == ("exported", f"generations as CSV: person={alice.user.username}")


@pytest.mark.parametrize("beginning", "=+-@\t\r\n＝＋－＠")
def test_name_that_looks_like_a_formula_becomes_text(staff, server, answering, beginning):
    eve = people.new_person("eve", server)
    eve.user.username = f"{beginning}HYPERLINK({eve.user.username})"
    eve.user.save()
    a = answering(eve)
    a.exchange.finish()
    assert a.asked.end
    page = staff.get(f"{LIST}export/?q={a.asked.generation}")
    (row,) = csv.reader(io.StringIO(page.html, newline="").readlines()[1:])
    assert row[2] == f"'{eve.user.username}"


def test_every_generation_is_exported_once_over_many_batches(staff, alice):
    talk = many(alice, 2 * BATCH_SIZE + 7)
    found = exported(staff, alice)
    assert len(found) == 2 * BATCH_SIZE + 7
    assert {row["id"] for row in found} == {str(row.pk) for row in Generation.objects.filter(conversation=talk)}
    assert [row["requested_at"] for row in found] == sorted((row["requested_at"] for row in found), reverse=True)


def test_export_is_consistent_while_generations_come_and_go(alice):
    """Between two batches some of the other generations are deleted and new ones begin; every remaining one is exported
    once."""
    talk = many(alice, BATCH_SIZE + 500)
    rows = Generation.objects.filter(conversation__owner=alice.user)
    kept = set(rows.order_by("-requested_at", "-pk").values_list("pk", flat=True)[: BATCH_SIZE + 100])

    def meanwhile():
        Message.objects.filter(generation__in=rows.exclude(pk__in=kept)).delete()
        many(alice, 50)

    async def collect():
        text = b""
        async for piece in csv_export.csv_lines(rows):
            if text.count(b"\n") == 1:
                await in_database(meanwhile)
            text += piece
        return text.decode()

    found = [row["id"] for row in csv.DictReader(io.StringIO(async_to_sync(collect)()))]
    assert len(found) == len(set(found))
    assert {str(pk) for pk in kept} == set(found)
    assert talk.generations.count() == len(kept)
