"""The PostgreSQL database: the one that `DATABASE_URL` names, or a local server in the data folder."""

import hashlib
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from chatapp import installation_settings, setting_reader
from chatapp.local_socket import DATABASE, socket_folder

FAILURE = 1
"""Exit code of a process whose database cannot be used."""

START_TIMEOUT = 10.0
"""Seconds to wait for a database that starts at the same time as this process."""

APPLICATION = "chat"
"""The beginning of `application_name`; the fingerprint of the secret key follows."""

MIN_VERSION = 14
"""The oldest version of PostgreSQL that Django supports."""

RECONNECT_TIMEOUT = 4
"""Seconds after which the pool stops reconnecting, so that the next query begins anew. The pool doubles its wait before
each attempt: with its default of five minutes it could ignore a database that is back for half a minute."""

KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
"""Options for libpq. Without them, a query to a host that has vanished waits for a quarter of an hour."""


class DatabaseUnavailable(Exception):
    """The database cannot be used. The text is one sentence for the person who starts the server."""


def ensure_database() -> None:
    """Set `DATABASE_URL` in the environment, after starting the local server if it was empty.

    The local server stops with the last process that uses it. Prints one sentence and exits if there is no database.
    """
    try:
        env = installation_settings.read()
    except setting_reader.InvalidSetting as error:
        _give_up(error, installation_settings.EXIT_CODE)
    if env.DATABASE_URL:
        return
    from chatapp import local_postgres  # only here: its packages are not needed with DATABASE_URL

    try:
        local_postgres.LocalServer(env.DATA_DIR / "postgres").join()
    except local_postgres.Unavailable as error:
        _give_up(error, FAILURE)
    except OSError as error:
        _give_up(setting_reader.unusable_folder(env.DATA_DIR, error), installation_settings.EXIT_CODE)
    os.environ["DATABASE_URL"] = local_url(env.DATA_DIR)


def wait_until_ready() -> None:
    """Wait until the database accepts a connection. Raises `DatabaseUnavailable` after `START_TIMEOUT`, if the server
    refuses, or if its version is too old."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection:
                version = connection.info.server_version
        except psycopg.OperationalError as error:
            refused = "FATAL" in str(error) and "starting up" not in str(error)  # waiting will not help
            if refused or time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"The database that DATABASE_URL names cannot be used: {reason(error)}."
                ) from error
            time.sleep(0.5)
        else:
            check_version(version)
            return


def check_version(version: int) -> None:
    """Raise `DatabaseUnavailable` for a server that is too old. `version` is in libpq's form: 150004 for 15.4."""
    if version < MIN_VERSION * 10_000:
        raise DatabaseUnavailable(
            f"The database is PostgreSQL {version // 10_000}; version {MIN_VERSION} or newer is needed."
        )


def describe(url: str) -> str:
    """The database's name and place for people, without the password."""
    given = conninfo_to_dict(url)
    host, port = given.get("host") or "localhost", given.get("port") or 5432
    return (
        f"{given.get('dbname')} in {host}" if str(host).startswith("/") else f"{given.get('dbname')} at {host}:{port}"
    )


def key_fingerprint(secret_key: str) -> str:
    """Eight hexadecimal digits that tell two keys apart without revealing either."""
    return hashlib.sha256(f"{APPLICATION} {secret_key}".encode()).hexdigest()[:8]


def reason(error: Exception) -> str:
    """The essential line of a database error, without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "failed: " in line), lines[0]).rstrip(".")


def local_url(data_dir: Path) -> str:
    """The URL of the local server in `data_dir`, whether it is running or not."""
    sockets = quote(str(socket_folder(data_dir / "postgres")), safe="")
    return f"postgresql://postgres@/{DATABASE}?host={sockets}"


def split_pool(pool_size: int) -> tuple[int, int, int]:
    """Divide a process's connections: for pages, for what answers depend on, for background work. They add up to
    `pool_size`."""
    core, background = max(2, pool_size * 3 // 8), 1
    return pool_size - core - background, core, background


def django_database(url: str, pool_size: int, secret_key: str) -> dict[str, Any]:
    """The entry for Django's `DATABASES`: pooled connections that are tested before use and notice a dead network.

    The URL may have any parameter that libpq knows; it takes precedence over the options set here.
    """
    given = conninfo_to_dict(url)
    name, user, password, host, port = (
        str(given.pop(key, None) or "") for key in ("dbname", "user", "password", "host", "port")
    )
    over_network = not host.startswith(("/", "@"))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "PASSWORD": password,
        "HOST": host,
        "PORT": port,
        "CONN_MAX_AGE": 0,  # back to the pool after each request or job
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10, "reconnect_timeout": RECONNECT_TIMEOUT},
            "connect_timeout": 5,
            "application_name": f"{APPLICATION}/{key_fingerprint(secret_key)}",
            **(KEEPALIVE if over_network else {}),
            **given,
        },
    }


def _give_up(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(code)
