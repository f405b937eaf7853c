"""With more concurrent requests than database connections, every request is answered and no connection is leaked.

The server of these tests has four connections, one of them for pages.
"""

import asyncio
import http.client
import socket as sockets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from conversations.models import Message
from conversations.storage.request_connections import ReleaseConnections
from tests.support import people, servers
from tests.support.conversations import conversation

POOL = 4
CONCURRENT = 12
MAX_WAIT = 6.0
"""Seconds; fewer than the ten that a request waits for a connection before it fails."""


@pytest.fixture(scope="module")
def narrow(database, provider):
    with servers.running(OPENAI_BASE_URL=provider.url, DATABASE_POOL_SIZE=POOL) as server:
        yield server
    assert "Traceback" not in server.output, server.output


@pytest.fixture
def alice(narrow):
    return people.new_person("alice", narrow)


@pytest.fixture
def staff(narrow):
    return people.new_person("staff", narrow, is_staff=True, is_superuser=True)


def at_once(request, count=CONCURRENT):
    """Make these requests at the same time; returns the responses and the seconds that all of them took."""
    began = time.monotonic()
    with ThreadPoolExecutor(count) as threads:
        answers = list(threads.map(lambda _: request(), range(count)))
    return {answer.status for answer in answers}, time.monotonic() - began


def long_conversation(person):
    """Eight megabytes: more than the operating system's buffers hold for a reader who does not read."""
    made = conversation(person)
    rows = [
        Message(conversation=made, parent_id=made.head_id, role="user", content=f"{number} {'x' * 100_000}")
        for number in range(80)
    ]
    Message.objects.bulk_create(rows)
    return made


def begin_download(person, path):
    """A client that reads the first bytes and then stops."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.settimeout(MAX_WAIT)
    raw.connect(person.server.address)
    raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {person.server.url[7:]}\r\nCookie: {person.cookie}\r\n\r\n".encode())
    assert raw.recv(12) == b"HTTP/1.1 200"
    return raw


@pytest.mark.parametrize("kind", ["md", "json"])
def test_concurrent_exports_all_succeed(alice, kind):
    made = conversation(alice)
    statuses, seconds = at_once(lambda: alice.get(f"/c/{made.pk}/export.{kind}"))
    assert statuses == {200}
    assert seconds < MAX_WAIT


def test_concurrent_exports_of_unknown_conversations_are_not_found(alice):
    statuses, seconds = at_once(lambda: alice.get(f"/c/{uuid.uuid4()}/export.md"))
    assert statuses == {404}
    assert seconds < MAX_WAIT


def test_concurrent_stop_forms_all_succeed(alice):
    """The form is meant for bad moments."""
    statuses, seconds = at_once(lambda: alice.post(f"/generations/{uuid.uuid4()}/stop/"))
    assert statuses == {404}
    assert seconds < MAX_WAIT


def test_concurrent_csv_exports_all_succeed(staff):
    statuses, seconds = at_once(lambda: staff.get("/admin/conversations/generation/export/?status__exact=error"))
    assert statuses == {200}
    assert seconds < MAX_WAIT


def test_unread_downloads_hold_no_connection(alice):
    made = long_conversation(alice)
    with ExitStack() as stack:
        for _ in range(POOL + 1):
            stack.enter_context(begin_download(alice, f"/c/{made.pk}/export.json"))
        began = time.monotonic()
        assert alice.get(f"/c/{conversation(alice).pk}/export.md").status == 200
        assert alice.get("/").status == 200
        assert time.monotonic() - began < MAX_WAIT
    assert alice.get("/").status == 200


FORMS = ("/accounts/login/", "/accounts/logout/", "/admin/login/", "/", "/settings/", "/search/", "/nowhere/")
CHARSETS = ("utf-7", "latin-1", "utf-16", "no-such-charset", "\x00")


def post_as(server, path, charset):
    link = http.client.HTTPConnection(server.url[7:], timeout=20)
    headers = {
        "Cookie": f"{settings.CSRF_COOKIE_NAME}={'a' * 32}; {settings.SESSION_COOKIE_NAME}=abcdefgh12345678",
        "Content-Type": f"application/x-www-form-urlencoded; charset={charset}",
    }
    try:
        link.request("POST", path, "a=b", headers)
        return link.getresponse().status
    finally:
        link.close()


@pytest.mark.parametrize("path", FORMS)
def test_unreadable_charset_gives_the_connection_back(narrow, path):
    """Anybody may send such a request, signed in or not."""
    statuses = {post_as(narrow, path, charset) for charset in CHARSETS for _ in range(POOL)}
    assert statuses <= {302, 400, 403, 404, 405}
    assert people.Person(None, "", narrow).get("/readyz").html == "ready\n"


async def ask_and_fail(scope, receive, send):
    """An application that uses the database and then raises."""

    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    await sync_to_async(ask)()
    raise LookupError("nobody expects this")


async def test_failing_requests_give_their_connection_back(database):
    application = ReleaseConnections(ask_and_fail)
    for _ in range(settings.DATABASE_POOL_SIZE + 1):
        with pytest.raises(LookupError):
            await asyncio.wait_for(application({"type": "http"}, None, None), MAX_WAIT)
