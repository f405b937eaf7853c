"""Prepares the installation before the server answers: tables, an administrator, the first endpoint, static files.

Each step first checks whether there is anything to do, so a second start takes seconds. When several processes start
together, an advisory lock in the database lets one of them do the work.
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

from chatapp import installation_settings, postgres, setting_reader
from conversations.providers import environment_endpoint

MIGRATION_ATTEMPTS = 5
"""Attempts at the migrations, if another process's transactions deadlock with them."""

MANIFEST = "staticfiles.json"
"""The list of static files that `collectstatic` writes. A read-only installation may already have it."""

logger = logging.getLogger(__name__)

LOCK = 0x63686174
"""Number of the advisory lock: "chat" in ASCII. Any number works that all processes share."""


def prepare() -> None:
    """Bring the database and the static files up to date. Blocks while another process does the same.

    Raises `django.db.Error` if the database fails, and `InvalidSetting` if a setting does not fit what it holds.
    """
    try:
        _warn_about_other_keys()
        with _exclusive():
            _migrate()
            _create_administrator()
            environment_endpoint.sync()
            _collect_static()
    finally:
        connection.close()


def _warn_about_other_keys() -> None:
    """Warn about processes with another secret key on the same database: a session of one is unknown to the other."""
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
            "Another process uses this database with another SECRET_KEY: nobody can be signed in to both. "
            "Give all processes the same SECRET_KEY, or the same DATA_DIR."
        )


@contextmanager
def _exclusive() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            print("Waiting for another process that is preparing the same database.", flush=True)
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _migrate() -> None:
    """Apply the migrations, each in one transaction. The ticks of a process that is still running lock the same tables,
    so a migration may be the victim of a deadlock; it is then tried again."""
    for attempt in range(MIGRATION_ATTEMPTS):
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected) or attempt == MIGRATION_ATTEMPTS - 1:
                raise


def _create_administrator() -> None:
    """Create the first administrator. A generated password is printed once."""
    if User.objects.filter(is_superuser=True).exists():
        return
    env = installation_settings.read()
    name = env.DJANGO_SUPERUSER_USERNAME or "admin"
    password = env.DJANGO_SUPERUSER_PASSWORD or secrets.token_urlsafe(12)
    if User.objects.filter(username=name).exists():
        raise setting_reader.InvalidSetting(
            f"There is no administrator yet, and the user {name!r} is not one; "
            "set DJANGO_SUPERUSER_USERNAME to another name."
        )
    User.objects.create_superuser(name, env.DJANGO_SUPERUSER_EMAIL, password)
    if not env.DJANGO_SUPERUSER_PASSWORD:
        print(f"Sign in as {name} with the password {password} (shown only this once).", flush=True)


def _collect_static() -> None:
    """Collect the static files, named by content and compressed, if any of them has changed since the last time."""
    if settings.DEBUG:
        return  # served as they are
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_name(f"{root.name}.sources")
    sources = _fingerprint()
    if stamp.exists() and stamp.read_text() == sources and root.is_dir():
        return
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(sources)
    except OSError as error:
        if not (root / MANIFEST).exists():
            raise setting_reader.unusable_folder(settings.DATA_DIR, error) from error
        logger.info("the static files in %s cannot be updated and are used as they are: %s", root, error.strerror)


def _fingerprint() -> str:
    """A digest of the names, sizes and times of all static files."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(None):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{storage.path(name)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
