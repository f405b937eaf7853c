"""The session behind a socket. Synchronous; runs on a database thread.

A socket outlives the sign-out of its session, so sessions are checked again while sockets are open.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from importlib import import_module
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

SUCCESSOR = "moved"
"""Field of an ended session that contains the key of its successor."""

SUCCESSOR_LIFETIME = timedelta(minutes=1)
"""Time for which the successor of a session is remembered."""


class SignedIn(NamedTuple):
    """A session and its person: the session's key, the user's id, and the hash of the password at sign-in."""

    key: str
    user: int
    password: str


def session_key(cookies: Mapping[str, str]) -> str:
    """Return the session key in these cookies; "" if there is none."""
    return cookies.get(settings.SESSION_COOKIE_NAME, "")


def load_user(key: str) -> AbstractBaseUser | None:
    """Return the user of session `key`; None if it has ended, the password changed, or the account was disabled."""
    if not key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    # Django gives a session signed with a former SECRET_KEY a new key. No cookie can be set here, so pages do that.
    request.session.cycle_key = lambda: None  # type: ignore[method-assign]
    user = get_user(request)
    return user if isinstance(user, AbstractBaseUser) and user.is_authenticated else None


def record_successor(key: str, successor: str) -> None:
    """Note that session `key` ended with a change of its person's password, and `successor` replaced it.

    Open sockets of the old session find the note with `find_successor`. It signs nobody in: a request with the old key
    is signed out.
    """
    Session.objects.save(key, {SUCCESSOR: successor}, timezone.now() + SUCCESSOR_LIFETIME)


def find_successor(key: str) -> SignedIn | None:
    """Return the session that replaced session `key`; None if none did, or if that one has ended too."""
    moved = import_module(settings.SESSION_ENGINE).SessionStore(key).get(SUCCESSOR)
    user = load_user(moved) if moved else None
    return SignedIn(moved, user.pk, user.password) if user is not None else None


def invalid(signed_in: Sequence[SignedIn]) -> set[str]:
    """Return the keys of these sessions that may no longer be valid: they ended, or their person's password or account
    changed. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.key FROM unnest(%s::text[], %s::int[], %s::text[]) AS k(key, person, password)
            LEFT JOIN django_session s ON s.session_key = k.key AND s.expire_date > clock_timestamp()
            LEFT JOIN auth_user u ON u.id = k.person AND u.is_active AND u.password = k.password
            WHERE s.session_key IS NULL OR u.id IS NULL
            """,
            [
                [each.key for each in signed_in],
                [each.user for each in signed_in],
                [each.password for each in signed_in],
            ],
        )
        return {key for (key,) in cursor.fetchall()}


def digest(key: str) -> str:
    """Return an identifier of the session that other processes and logs may see, because it does not reveal the key."""
    return sha256(key.encode()).hexdigest()
