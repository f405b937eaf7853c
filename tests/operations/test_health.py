"""`/healthz` and `/readyz` answer load balancers and orchestrators without a login."""

import asyncio
from types import SimpleNamespace

import pytest

from conversations.generation.supervisor import Supervisor
from conversations.operations import readiness
from conversations.operations.readiness import Readiness
from tests.support import people


def ask(server, path, method="GET", **headers):
    return people.Person(None, "", server).request(method, path, headers=headers)


@pytest.mark.parametrize(("path", "word"), [("/healthz", "alive"), ("/readyz", "ready")])
def test_health_needs_no_login(server, path, word):
    page = ask(server, path)
    assert (page.status, page.html) == (200, f"{word}\n")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Set-Cookie"] is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probe_by_ip_address_is_answered(server, path):
    assert ask(server, path, Host="10.1.2.3").status == 200


def test_head_has_no_body(server):
    page = ask(server, "/healthz", "HEAD")
    assert (page.status, page.html) == (200, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_health_accepts_only_get(server, method):
    page = ask(server, "/readyz", method)
    assert (page.status, page.headers["Allow"]) == (405, "GET, HEAD")


def test_metrics_are_off_without_a_token(start_server):
    """Probes come from inside, so they are answered over plain HTTP even if the site uses only HTTPS."""
    server = start_server(METRICS_TOKEN="", ALLOWED_ORIGINS="https://chat.example.org")
    assert ask(server, "/healthz").status == 200
    assert ask(server, "/readyz").status == 200
    for given in ("", "Bearer", "Bearer "):
        headers = {"Host": "chat.example.org", "X-Forwarded-Proto": "https", "Authorization": given}
        assert ask(server, "/metrics", **headers).status == 404


@pytest.fixture
def supervisor(database):
    """The parts of a supervisor that health checks read."""
    supervisor = Supervisor()
    supervisor.journal = SimpleNamespace(unavailable_for=lambda: 0.1)
    return supervisor


async def test_a_healthy_process_has_no_fault(supervisor):
    assert await Readiness(supervisor).fault() == ""


async def test_draining_process_is_not_ready(supervisor):
    supervisor.stopping = True
    assert await Readiness(supervisor).fault() == "draining"


async def test_stalled_journal_is_not_ready(supervisor):
    supervisor.journal.unavailable_for = lambda: 60.0
    assert await Readiness(supervisor).fault() == "journal"


async def test_hanging_database_is_asked_once(supervisor, monkeypatch):
    asked = []

    async def hang():
        asked.append(True)
        await asyncio.sleep(3600)

    monkeypatch.setattr(readiness, "_database_answers", hang)
    monkeypatch.setattr(readiness, "DATABASE_TIMEOUT", 0.05)
    probed = Readiness(supervisor)
    assert await asyncio.gather(*(probed.fault() for _ in range(5))) == ["database"] * 5
    assert await probed.fault() == "database"
    assert len(asked) == 1
    supervisor.tasks.cancel()


async def test_database_check_is_cached_briefly(supervisor, monkeypatch):
    asked = []

    async def answer():
        asked.append(True)
        return True

    monkeypatch.setattr(readiness, "_database_answers", answer)
    monkeypatch.setattr(readiness, "CACHE_TIME", 3600)
    probed = Readiness(supervisor)
    assert [await probed.fault() for _ in range(3)] == ["", "", ""]
    assert len(asked) == 1
    monkeypatch.setattr(readiness, "CACHE_TIME", 0)
    assert await probed.fault() == ""
    assert len(asked) == 2
