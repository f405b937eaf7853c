"""The real parts that tests run against: PostgreSQL, a provider, servers, people, sockets and a browser."""

from tests.support import environment

# pytest imports this file before pytest-django would load the settings.
environment.prepare_test_process()

import re  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import ExitStack  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from tests.support import database as databases  # noqa: E402
from tests.support import leaks, people, servers  # noqa: E402
from tests.support.people import Person  # noqa: E402
from tests.support.provider.exchange import Exchange  # noqa: E402
from tests.support.provider.server import Provider  # noqa: E402
from tests.support.servers import (  # noqa: E402
    SHARED_SETTINGS,
    Server,
)
from tests.support.sockets import Asked, Socket  # noqa: E402
from tests.support.tcp_proxy import Proxy  # noqa: E402

# It also reports coroutines that were never awaited, and sockets and files that were never closed.
WATCHED = {"PYTHONASYNCIODEBUG": 1, "PYTHONWARNINGS": "default"}
COMPLAINTS = ("Traceback", "Warning:", "never retrieved", "never awaited")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long loops of tests/faults, too")
    parser.addoption("--complete", action="store_true", help="a test that lacks a part it needs fails")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: only with --long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="only with --long"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """With --complete, a skipped test fails unless it is skipped on purpose."""
    report = yield
    if report.skipped and item.config.getoption("--complete") and not item.get_closest_marker("long"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether to run the long loops (`--long`)."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def database(django_db_blocker: Any) -> Iterator[databases.Database]:
    """PostgreSQL with the product's tables. Tests and servers share it, so nothing is rolled back or emptied."""
    running = databases.Database()
    django_db_blocker.unblock()
    call_command("migrate", verbosity=0)
    yield running
    connections.close_all()
    for server in servers.started:
        server.end_if_running()
    running.stop()
    assert not leaks.leaked_secrets(), leaks.leaked_secrets()


@pytest.fixture(scope="session")
def django_db_setup(database: databases.Database) -> None:
    """Replaces pytest-django's fixture: there is no second database."""


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def server(database: databases.Database, provider: Provider) -> Iterator[Server]:
    """The server that most tests share. It must log no traceback and no warning during all of them."""
    with servers.running(OPENAI_BASE_URL=provider.url, **SHARED_SETTINGS, **WATCHED) as server:
        yield server
    lines = [line for line in server.output.splitlines() if any(complaint in line for complaint in COMPLAINTS)]
    assert not lines, f"the shared server complained: {lines}\n{server.output}"


@pytest.fixture
def start_server(database: databases.Database, provider: Provider) -> Iterator[Callable[..., Server]]:
    """Start a server for this test, with the given settings. All such servers are stopped at the end."""
    with ExitStack() as stack:

        def start(**overrides: Any) -> Server:
            return stack.enter_context(
                servers.running(**{"OPENAI_BASE_URL": provider.url, **SHARED_SETTINGS, **overrides})
            )

        yield start


@pytest.fixture
def alice(server: Server) -> Person:
    return people.new_person("alice", server)


@pytest.fixture
def bob(server: Server) -> Person:
    return people.new_person("bob", server)


@pytest.fixture
def staff(server: Server) -> Person:
    """An administrator."""
    return people.new_person("staff", server, is_staff=True, is_superuser=True)


@pytest.fixture
def clerk(server: Server) -> Callable[..., Person]:
    """Create a member of staff who has exactly these permissions for conversations and their parts."""

    def hire(*permissions: str) -> Person:
        person = people.new_person("clerk", server, is_staff=True)
        person.user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="conversations", codename__in=permissions)
        )
        return person

    return hire


@pytest.fixture
def socket() -> Iterator[Callable[..., Socket]]:
    """Open a page's socket for a person, by default at their server; see `tests.support.sockets.Socket`.

    At the end all sockets are closed, and the events that they received are checked against the protocol.
    """
    opened: list[Socket] = []

    def open_socket(person: Person, *, at: Server | None = None, **options: Any) -> Socket:
        server = at or person.server
        opened.append(Socket(person, server.ws_url, **{"origin": server.url, **options}))
        opened[-1].wait("hello")
        return opened[-1]

    yield open_socket
    for each in opened:
        each.close()
    for each in opened:
        each.check()


@dataclass(frozen=True)
class Answering:
    """A streaming answer, as the page, the command and the provider see it."""

    page: Socket
    asked: Asked
    exchange: Exchange


@pytest.fixture
def answering(socket: Callable[..., Socket], provider: Provider) -> Callable[..., Answering]:
    """Let a person ask and the provider write the first tokens; returns when the page shows them."""

    def begin(person: Person, *tokens: str, **options: Any) -> Answering:
        page = socket(person, **options)
        exchange = provider.expect()
        asked = page.ask(exchange.prompt)
        exchange.write_tokens(*(tokens or ("Bees ", "hum")))
        asked.wait_text(re.findall(r"\w+", exchange.text)[-1])
        return Answering(page, asked, exchange)

    return begin


@pytest.fixture
def unanswered(socket: Callable[..., Socket], provider: Provider) -> Callable[..., tuple[Asked, Exchange]]:
    """Ask as a person; returns (asked, exchange) once the provider has the request, which is not answered yet."""

    def ask(person: Person, **options: Any) -> tuple[Asked, Exchange]:
        exchange = provider.expect()
        asked = socket(person).ask(exchange.prompt, **options)
        exchange.wait_opened()
        return asked, exchange

    return ask


@pytest.fixture
def asking(unanswered: Callable[..., tuple[Asked, Exchange]], alice: Person) -> tuple[Asked, Exchange]:
    """Alice's prompt at the shared server: (asked, exchange)."""
    return unanswered(alice)


@pytest.fixture
def proxy() -> Iterator[Callable[[Server], Proxy]]:
    """Start a proxy in front of a server."""
    with ExitStack() as stack:

        def place(server: Server) -> Proxy:
            proxy = Proxy(server.address)
            stack.callback(proxy.stop)
            return proxy

        yield place


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for the tests of one file, so that Playwright's event loop runs in this thread only during them."""
    from tests.support.browser.chat import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Any, alice: Person) -> Iterator[Any]:
    """A browser of its own in which Alice is signed in."""
    from tests.support.browser.chat import sign_in_browser

    context = browser.new_context()
    sign_in_browser(context, alice)
    yield context
    context.close()


@pytest.fixture
def tab(context: Any, server: Server) -> Callable[[], Any]:
    """Open another tab in Alice's browser; see `tests.support.browser.chat.Chat`."""
    from tests.support.browser.chat import Chat

    return lambda: Chat(context.new_page(), server)


@pytest.fixture
def chat(tab: Callable[[], Any]) -> Any:
    """A tab in Alice's browser."""
    return tab()
