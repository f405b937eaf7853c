"""Asking, watching and stopping do not wait for pages that wait for the database."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import people
from tests.support.faults import locks
from tests.support.polling import eventually
from tests.support.servers import running

LOCK_TIMEOUT = 2.0
LIST = "/admin/conversations/auditentry/"
PAGES = 9
"""More pages than a process has connections."""


@pytest.fixture(scope="module")
def impatient(database, provider):
    with running(OPENAI_BASE_URL=provider.url, DATABASE_LOCK_TIMEOUT=LOCK_TIMEOUT) as server:
        yield server


def test_answers_continue_while_all_pages_wait_for_the_database(impatient, answering, socket, provider):
    staff = people.new_person("staff", impatient, is_staff=True, is_superuser=True)
    a = answering(people.new_person("alice", impatient))
    with ThreadPoolExecutor(PAGES) as threads:
        with locks.locked_table("conversations_auditentry"):
            waiting = [threads.submit(staff.get, LIST) for _ in range(PAGES)]
            eventually(lambda: locks.waiting_for_locks() >= 3, "the pages wait")
            began = time.monotonic()
            other = socket(a.page.person)
            other.watch(a.asked.conversation)
            exchange = provider.expect()
            asked = other.ask(exchange.prompt)
            exchange.write_tokens("Here.").finish()
            assert asked.outcome == ("complete", "finished")
            a.page.stop(generation=a.asked.generation)
            assert a.asked.outcome == ("interrupted", "stopped")
            took = time.monotonic() - began
            assert took < LOCK_TIMEOUT
            assert waiting[0].result().status == 503
        assert {page.result().status for page in waiting} <= {200, 503}
    assert staff.get(LIST).status == 200
