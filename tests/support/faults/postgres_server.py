"""A test's own PostgreSQL server, which can be stopped, restarted and frozen while the product uses it.

    with own_postgres() as postgres:
        server = start_server(DATABASE_URL=postgres.url)
        postgres.restart("immediate")

Inside the `with`, the test process uses the same database, so people and rows belong to that server.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
from django.core.management import call_command
from django.db import connection, connections

from chatapp import local_socket, postgres
from chatapp.local_postgres import LocalServer
from tests.support import database
from tests.support.servers import free_port

SAVED_TEXT = """
SELECT m.content || coalesce((SELECT string_agg(p.text, '' ORDER BY p.start) FROM conversations_piece p
                              WHERE p.generation_id = g.id), '')
FROM conversations_generation g JOIN conversations_message m ON m.id = g.message_id WHERE g.id = %s
"""


class PostgresServer:
    """One PostgreSQL server with the product's tables, in a folder of its own."""

    def __init__(self) -> None:
        self.folder = database.FOLDER / f"cluster-{free_port()}"
        self.folder.mkdir(mode=0o711)
        self.url = postgres.local_url(self.folder)
        self._server = LocalServer(self.folder / "postgres")
        self._server.join()
        self._frozen: list[psutil.Process] = []
        self._stopped = False
        with (self._server.data / "postgresql.conf").open("a") as settings:
            settings.write("fsync = off\n")  # no power is cut here, and recovery after a crash is fast
        self._control("reload")

    @property
    def sockets(self) -> Path:
        return self._server.sockets

    def stop(self, mode: str = "fast") -> None:
        """Stop it as an administrator does: `fast` disconnects all clients, `immediate` is like a crash."""
        self._stopped = True
        self._control("-w", "-m", mode, "stop")
        _close_connections()

    def start(self) -> None:
        """Start it again; returns once it accepts connections."""
        self._server._start()
        self._stopped = False

    def restart(self, mode: str) -> None:
        self.stop(mode)
        self.start()

    def freeze(self) -> None:
        """Suspend all its processes: connections stay, new ones are made, and nothing is answered."""
        self._frozen = self._processes()
        for process in self._frozen:
            process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        for process in self._frozen:
            if process.is_running():
                os.kill(process.pid, signal.SIGCONT)
        self._frozen = []

    def restore(self) -> None:
        """Undo whatever a test did to the server."""
        self.thaw()
        if self._stopped:
            self.start()

    def saved(self, generation: str) -> str:
        """The saved text of a generation, which may still stream; "" while the server accepts no connections."""
        try:
            with psycopg.connect(host=str(self.sockets), user="postgres", dbname=local_socket.DATABASE) as connection:
                row = connection.execute(SAVED_TEXT, [generation]).fetchone()
        except psycopg.OperationalError:
            return ""
        return row[0] if row else ""

    def end(self) -> None:
        self.restore()
        self._server.leave()

    def _processes(self) -> list[psutil.Process]:
        """The main process and its children, which have no children themselves."""
        first = psutil.Process(int((self._server.data / "postmaster.pid").read_text().split()[0]))
        return [first, *first.children()]

    def _control(self, *arguments: str) -> None:
        self._server._run("pg_ctl", "-D", str(self._server.data), *arguments)


@contextmanager
def own_postgres() -> Iterator[PostgresServer]:
    """A new PostgreSQL server, which the test process uses as well during the `with`."""
    made = PostgresServer()
    try:
        with _used_here(made):
            call_command("migrate", verbosity=0)
            yield made
    finally:
        made.end()


@contextmanager
def _used_here(made: PostgresServer) -> Iterator[None]:
    settings = connection.settings_dict
    usual = settings["HOST"]
    _close_connections()
    settings["HOST"] = str(made.sockets)
    try:
        yield
    finally:
        made.thaw()
        _close_connections()
        settings["HOST"] = usual


def _close_connections() -> None:
    connections.close_all()
    connection.close_pool()  # type: ignore[attr-defined]
