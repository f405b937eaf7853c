"""Expired sessions and rows of dead processes are deleted."""

from datetime import timedelta

import psycopg
from django.contrib.sessions.models import Session
from django.utils import timezone

from conversations.models import ServerProcess
from conversations.models.ids import new_id
from conversations.operations import stale_rows
from conversations.storage import journal_sql
from tests.support import database as databases
from tests.support import generations
from tests.support.polling import eventually


def test_only_expired_sessions_are_deleted(alice, bob):
    Session.objects.filter(pk=alice.session).update(expire_date=timezone.now() - timedelta(seconds=1))
    stale_rows.delete_stale_rows()
    left = set(Session.objects.filter(pk__in=[alice.session, bob.session]).values_list("pk", flat=True))
    assert left == {bob.session}


def test_dead_processes_without_generations_are_deleted(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    owner = generations.wait_ended(a.asked).owner
    old = timezone.now() - timedelta(days=2)
    dead, young = (ServerProcess.objects.create(host="hive", pid=number) for number in (1, 2))
    ServerProcess.objects.filter(pk__in=[dead.pk, owner.pk]).update(renewed_at=old)
    stale_rows.delete_stale_rows()
    left = set(ServerProcess.objects.filter(pk__in=[dead.pk, young.pk, owner.pk]).values_list("pk", flat=True))
    assert left == {young.pk, owner.pk}
    young.delete()


def test_live_process_is_kept_whatever_its_row_says(database):
    """A process holds a database lock as long as it lives."""
    process = new_id()
    with psycopg.connect(databases.URL, autocommit=True) as connection:
        journal_sql.register(connection, process)
        ServerProcess.objects.filter(pk=process).update(renewed_at=timezone.now() - timedelta(days=2))
        stale_rows.delete_stale_rows()
        assert ServerProcess.objects.filter(pk=process).exists()

    def gone():
        stale_rows.delete_stale_rows()
        return not ServerProcess.objects.filter(pk=process).exists()

    eventually(gone, "the row of a process that has ended")
