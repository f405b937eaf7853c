"""What has to be done before the server may answer: tables, an administrator, the first endpoint, static files.

Each step first looks whether there is anything to do, so that a second start takes seconds. Several processes may
start together: an advisory lock of the database lets one of them do the work.
"""

import hashlib
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from psycopg.errors import DeadlockDetected

from chatapp import environment, postgres
from conversations.providers import environment_endpoint

ATTEMPTS = 5
"""How often migrations are begun where others keep getting in their way."""

MANIFEST = "staticfiles.json"
"""Where `collectstatic` writes which files there are. An image may be made with them, and be read-only."""

logger = logging.getLogger(__name__)

LOCK = 0x63686174  # "chat"; any number that all processes agree on


def prepare() -> None:
    """Bring database and static files up to date. Raises `django.db.Error` if the database does not take it."""
    try:
        _notice_other_keys()
        with _alone():
            _migrate()
            _administrator()
            environment_endpoint.sync()
            _collect_static()
    finally:
        connection.close()


def _notice_other_keys() -> None:
    """Processes that share a database have to share the key, too, or every second page is the sign-in."""
    own = settings.DATABASES["default"]["OPTIONS"]["application_name"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s AND application_name <> %s",
            [f"{postgres.APPLICATION}/%", own],
        )
        (others,) = cursor.fetchone()
    if others:
        logger.warning(
            "Another process uses this database with another SECRET_KEY: nobody can be signed in at both. "
            "Set SECRET_KEY to the same value for all, or let them share DATA_DIR."
        )


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            print("Waiting for another process that prepares the same database.", flush=True)
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _migrate() -> None:
    """Each migration is one transaction. The ticks of a process that is still running take its tables, too, so that one
    of the two may be told to try again."""
    for attempt in range(ATTEMPTS):
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected) or attempt == ATTEMPTS - 1:
                raise


def _administrator() -> None:
    """Make the first administrator; a password that nobody chose is shown this once."""
    if User.objects.filter(is_superuser=True).exists():
        return
    env = environment.read()
    name = env.DJANGO_SUPERUSER_USERNAME or "admin"
    password = env.DJANGO_SUPERUSER_PASSWORD or secrets.token_urlsafe(12)
    if User.objects.filter(username=name).exists():
        raise environment.WrongValue(
            f"There is no administrator yet, and the user {name!r} is not one; "
            "set DJANGO_SUPERUSER_USERNAME to another name."
        )
    User.objects.create_superuser(name, env.DJANGO_SUPERUSER_EMAIL, password)
    if not env.DJANGO_SUPERUSER_PASSWORD:
        print(f"Sign in as {name} with the password {password} (shown only this once).", flush=True)


def _collect_static() -> None:
    """Gather, name by content and compress the static files, if any of them changed since the last time."""
    if settings.DEBUG:
        return  # served as they are
    root = Path(settings.STATIC_ROOT)
    note = root.with_name(f"{root.name}.sources")
    sources = _fingerprint()
    if note.exists() and note.read_text() == sources and root.is_dir():
        return
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
        note.write_text(sources)
    except OSError as error:
        if not (root / MANIFEST).exists():
            raise environment.unusable(settings.DATA_DIR, error) from error
        logger.info("the static files in %s are taken as they are: %s", root, error.strerror)


def _fingerprint() -> str:
    """A digest of the names, sizes and times of all static files."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(None):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{storage.path(name)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
