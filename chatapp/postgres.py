"""Which database is used: the one of `DATABASE_URL`, else a local server in the data folder."""

import hashlib
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from chatapp import environment
from chatapp.local_socket import DATABASE, socket_folder

FAILURE = 1
"""Exit code of a process that cannot have its database."""

PATIENCE = 10.0
"""Seconds that a database may take to answer when this process starts."""

APPLICATION = "chat"
"""How connections name themselves to the server, with a trace of the secret key behind it."""

OLDEST = 14
"""The oldest version of PostgreSQL that Django takes."""
# The pool waits twice as long before each attempt to connect, until it gives up and the next query begins anew. By its
# default of five minutes it would not look for half a minute at a database that is back from half a minute's absence.
RECONNECT = 4  # seconds
# Without these, a query to a host that vanished waits for a quarter of an hour.
DEAD_NETWORK = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}


class NoAnswer(Exception):
    """The database cannot be used; the text is one sentence for the person who starts the project."""


def provide() -> None:
    """See to it that there is a database, and that `DATABASE_URL` names it.

    Ends the process with one sentence if that cannot be done. Without `DATABASE_URL`, this process from now on uses
    the local server, which stops with its last user.
    """
    try:
        env = environment.read()
    except environment.WrongValue as error:
        _give_up(error, environment.EXIT_CODE)
    if env.DATABASE_URL:
        return
    from chatapp import local_postgres  # only here: with a database of one's own its packages are not needed

    try:
        local_postgres.LocalServer(env.DATA_DIR / "postgres").join()
    except local_postgres.Unavailable as error:
        _give_up(error, FAILURE)
    except OSError as error:
        _give_up(environment.unusable(env.DATA_DIR, error), environment.EXIT_CODE)
    os.environ["DATABASE_URL"] = address(env.DATA_DIR)


def wait_until_it_answers() -> None:
    """Wait a while for a database that starts at the same time. Raises `NoAnswer`."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection:
                version = connection.info.server_version
        except psycopg.OperationalError as error:
            refused = "FATAL" in str(error) and "starting up" not in str(error)  # waiting will not help
            if refused or time.monotonic() > deadline:
                raise NoAnswer(f"The database of DATABASE_URL cannot be used: {reason(error)}.") from error
            time.sleep(0.5)
        else:
            check_version(version)
            return


def check_version(version: int) -> None:
    """Raises `NoAnswer` for a server that is too old; `version` as libpq gives it: 150004."""
    if version < OLDEST * 10_000:
        raise NoAnswer(f"The database is PostgreSQL {version // 10_000}; version {OLDEST} or newer is needed.")


def described(url: str) -> str:
    """Which database that is, for people; without the password."""
    given = conninfo_to_dict(url)
    host, port = given.get("host") or "localhost", given.get("port") or 5432
    return (
        f"{given.get('dbname')} in {host}" if str(host).startswith("/") else f"{given.get('dbname')} at {host}:{port}"
    )


def trace(secret_key: str) -> str:
    """Tells two keys apart, and says nothing about either."""
    return hashlib.sha256(f"{APPLICATION} {secret_key}".encode()).hexdigest()[:8]


def reason(error: Exception) -> str:
    """What an error of the database comes down to: one line, without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "failed: " in line), lines[0]).rstrip(".")


def address(data_dir: Path) -> str:
    """The URL of the local server whose data is in this data folder, whether it runs or not."""
    sockets = quote(str(socket_folder(data_dir / "postgres")), safe="")
    return f"postgresql://postgres@/{DATABASE}?host={sockets}"


def shares(pool_size: int) -> tuple[int, int, int]:
    """How many of a process's connections are for pages, for what answers depend on, and for work in the background."""
    core, background = max(2, pool_size * 3 // 8), 1
    return pool_size - core - background, core, background


def django_database(url: str, pool_size: int, secret_key: str) -> dict[str, Any]:
    """The entry for Django's `DATABASES`: pooled connections, tested before use, that notice a dead network.

    Whatever libpq understands may stand in the URL, and wins over the options set here.
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
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10, "reconnect_timeout": RECONNECT},
            "connect_timeout": 5,
            "application_name": f"{APPLICATION}/{trace(secret_key)}",
            **(DEAD_NETWORK if over_network else {}),
            **given,
        },
    }


def _give_up(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(code)
