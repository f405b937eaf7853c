"""Who is behind a socket. Synchronous; runs on a database thread.

A socket outlives the sign-out of its session, so this is asked again while it is open.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone


def session_key(cookies: Mapping[str, str]) -> str:
    return cookies.get(settings.SESSION_COOKIE_NAME, "")


def load_user(key: str) -> AbstractBaseUser | None:
    """The user signed in to session `key`; None when it ended, the password changed or the account was disabled."""
    if not key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    # A session that a former SECRET_KEY signed gets a new key here, which no browser would hear of: left to the pages.
    request.session.cycle_key = lambda: None  # type: ignore[method-assign]
    user = get_user(request)
    return user if isinstance(user, AbstractBaseUser) and user.is_authenticated else None


def record_successor(key: str, successor: str) -> None:
    """Session `key` has ended because its person changed the password in it, and `successor` took its place. Its open
    sockets find that here. It lets nobody in: whoever comes with the old key is signed out."""
    Session.objects.save(key, {SUCCESSOR: find_successor}, timezone.now() + SUCCESSOR_LIFETIME)


def find_successor(key: str) -> "SignedIn | None":
    """Who is signed in to the session that took the place of `key`, if one did."""
    moved = import_module(settings.SESSION_ENGINE).SessionStore(key).get(SUCCESSOR)
    user = load_user(moved) if moved else None
    return (moved, user.pk, user.password) if user is not None else None


SUCCESSOR = "moved"
SUCCESSOR_LIFETIME = timedelta(minutes=1)
"""For how long it is known what took the place of a session."""

SignedIn = tuple[str, int, str]
"""Session key, user, and the password's hash at the time."""


def invalid(sockets: Sequence[SignedIn]) -> set[str]:
    """Of open sockets and answers that somebody left: the sessions that need another look because
    they ended, or their person's password or account changed. One query."""
    keys, people, passwords = ([socket[column] for socket in sockets] for column in range(3))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.key FROM unnest(%s::text[], %s::int[], %s::text[]) AS k(key, person, password)
            LEFT JOIN django_session s ON s.session_key = k.key AND s.expire_date > clock_timestamp()
            LEFT JOIN auth_user u ON u.id = k.person AND u.is_active AND u.password = k.password
            WHERE s.session_key IS NULL OR u.id IS NULL
            """,
            [keys, people, passwords],
        )
        return {key for (key,) in cursor.fetchall()}


def digest(key: str) -> str:
    """Names a session between processes without giving it away."""
    return sha256(key.encode()).hexdigest()
