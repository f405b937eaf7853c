"""A test's person, and plain HTTP requests on their behalf, as the page makes without its socket."""

import http.client
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.test import Client

from tests.support.servers import Server

CSRF = secrets.token_hex(16)
UNSEEN = frozenset({"script", "style", "template", "title"})


@dataclass(frozen=True)
class Page:
    """An HTTP response; redirects are not followed."""

    status: int
    headers: http.client.HTTPMessage
    html: str

    @property
    def text(self) -> str:
        return words(self.html)

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))


@dataclass
class Person:
    """A person with an account, and by default a session, at the given server."""

    user: Any
    password: str
    server: Server
    session: str = field(default="", repr=False)

    @property
    def cookie(self) -> str:
        return f"{settings.SESSION_COOKIE_NAME}={self.session}"

    def at(self, server: Server) -> "Person":
        """The same person with the same session at another server."""
        return Person(self.user, self.password, server, self.session)

    def sign_in_again(self) -> "Person":
        """The same person with a second session, as from another browser."""
        return Person(self.user, self.password, self.server, new_session(self.user))

    def without_session(self) -> "Person":
        return Person(self.user, self.password, self.server)

    def get(self, path: str, **headers: str) -> Page:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, **fields: str) -> Page:
        """Submit a form as the page does, with the CSRF token."""
        return self.post_pairs(path, [*fields.items()])

    def post_pairs(self, path: str, fields: list[tuple[str, object]]) -> Page:
        """Submit a form in which a name appears more than once."""
        body = urlencode(fields)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, body, kind | {"Origin": self.server.url, "X-CSRFToken": CSRF})

    def request(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Page:
        cookies = [f"{settings.CSRF_COOKIE_NAME}={CSRF}", *([self.cookie] if self.session else [])]
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=20)
        try:
            connection.request(method, path, body, {"Cookie": "; ".join(cookies), **(headers or {})})
            response = connection.getresponse()
            return Page(response.status, response.headers, response.read().decode())
        finally:
            connection.close()


def new_person(name: str, server: Server, **fields: Any) -> Person:
    """A new account whose name begins with `name`, signed in."""
    password = secrets.token_urlsafe(12)
    # One round instead of a million: tests have no secrets, and signing in takes a third of a second less.
    encoded = PBKDF2PasswordHasher().encode(password, secrets.token_hex(8), iterations=1)
    user = get_user_model()._default_manager.create(
        username=f"{name}-{secrets.token_hex(4)}", password=encoded, **fields
    )
    return Person(user, password, server, new_session(user))


def new_session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class _Words(HTMLParser):
    """Collects the visible text of HTML."""

    BREAKS = frozenset({"p", "br", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "tr", "td", "th", "div", "article"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN
        if tag in self.BREAKS:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN
        if tag in self.BREAKS:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def words(html: str) -> str:
    """The visible words of HTML, separated by single spaces."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    return " ".join("".join(parser.parts).split())
