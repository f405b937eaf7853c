"""The nginx configuration in docs/hosting.md works: pages, the socket, and Stop both ways, over TLS."""

import http.client
import os
import re
import shutil
import socket as sockets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import generations, people
from tests.support.generations import stop_path
from tests.support.people import CSRF, Page
from tests.support.polling import eventually
from tests.support.provider.endless import CLOSE_LIMIT, RATE, endless
from tests.support.provider.tls import write_certificate
from tests.support.servers import REPOSITORY, STOP_LIMIT, free_port, running
from tests.support.sockets import Socket

PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")

AROUND = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    {snippet}
}}
"""
"""The settings that nginx needs besides the snippet to run as any user in a folder of its own."""


@dataclass(frozen=True)
class Visitor:
    """A signed-in person whose requests go through nginx. The cookies have their names behind HTTPS."""

    session: str
    port: int

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def cookie(self) -> str:
        return f"__Host-sessionid={self.session}; __Host-csrftoken={CSRF}"

    def request(self, method: str, path: str, **headers: str) -> Page:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers={"Cookie": self.cookie, **headers})
            response = connection.getresponse()
            return Page(response.status, response.headers, response.read().decode())
        finally:
            connection.close()

    def get(self, path: str) -> Page:
        return self.request("GET", path)

    def post(self, path: str) -> Page:
        return self.request("POST", path, **{"Origin": self.origin, "X-CSRFToken": CSRF})


def documented_snippet(port: int, upstream: int, certificate: Path, key: Path) -> str:
    """The snippet from the document with these ports and this certificate."""
    document = (REPOSITORY / "docs/hosting.md").read_text()
    snippet = document.partition("```nginx\n")[2].partition("```")[0]
    for documented, ours in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("# ssl_certificate …", f"ssl_certificate {certificate};\nssl_certificate_key {key};"),
        ("http://127.0.0.1:8000;", f"http://127.0.0.1:{upstream};"),
    ):
        assert snippet.count(documented) == 1, f"docs/hosting.md no longer says {documented!r}"
        snippet = snippet.replace(documented, ours)
    return snippet


@contextmanager
def nginx(folder: Path, snippet: str, port: int) -> Iterator[None]:
    """Run nginx with this snippet until the block ends."""
    assert PROGRAM
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, snippet=snippet))
    process = subprocess.Popen([PROGRAM, "-p", str(folder), "-c", str(configuration)])
    try:
        eventually(lambda: answers(port), "nginx")
        yield
    finally:
        process.terminate()
        process.wait(STOP_LIMIT)


def answers(port: int) -> bool:
    with sockets.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def front(database, provider, tmp_path_factory):
    """nginx as documented, in front of a server without another origin. Returns (server, nginx's port, certificate)."""
    if not PROGRAM:
        pytest.skip("nginx is not installed, so docs/hosting.md is not tested with it. Install it (see .ci/programs).")
    folder = tmp_path_factory.mktemp("nginx")
    certificate, port = folder / "certificate.pem", free_port()
    key = write_certificate(certificate)
    with (
        running(OPENAI_BASE_URL=provider.url, ALLOWED_ORIGINS=f"https://127.0.0.1:{port}") as server,
        nginx(folder, documented_snippet(port, server.port, certificate, key), port),
    ):
        yield server, port, certificate


@pytest.fixture
def visitor(front, monkeypatch):
    server, port, certificate = front
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return Visitor(people.new_person("visitor", server).session, port)


@pytest.fixture
def answering(visitor, provider):
    """A page's socket through nginx and a streaming answer: (asked, exchange)."""
    page = Socket(visitor, f"wss://127.0.0.1:{visitor.port}/ws/", origin=visitor.origin)
    page.wait("hello")
    exchange = provider.expect()
    asked = page.ask(exchange.prompt)
    exchange.write_tokens("Bees ", "hum")
    yield asked.wait_text("hum"), exchange
    page.finish()


def test_pages_come_through(visitor):
    """Without the forwarded scheme the server would redirect, and without the host it would refuse."""
    page = visitor.get("/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"]
    script = re.findall(r'(/static/[^"]+\.js)"', page.html)[0]
    assert visitor.get(script).status == 200


def test_stop_works_through_the_socket(visitor, answering):
    asked, exchange = answering
    exchange.stream(endless(), RATE).wait_written(10)
    pressed = asked.stop()
    assert exchange.wait_closed() - pressed < CLOSE_LIMIT
    assert asked.outcome == ("interrupted", "stopped")


def test_stop_works_through_the_form(visitor, answering):
    asked, exchange = answering
    exchange.stream(endless(), RATE)
    page = visitor.post(stop_path(asked.generation))
    assert (page.status, page.headers["Location"]) == (302, f"/c/{asked.conversation}/")
    exchange.wait_closed(CLOSE_LIMIT)
    assert asked.outcome == ("interrupted", "stopped")


def test_closing_the_page_stops_the_answer(answering):
    asked, exchange = answering
    asked.socket.close()
    exchange.wait_closed()
    assert generations.outcome(asked) == ("interrupted", "left")
