"""Start the server under test, the provider and the clients, each in its own process.

The server under test has the first core to itself; the provider, the clients and PostgreSQL share the last one. On a
machine with one core, everything shares it.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from statistics import median
from typing import Any

import psutil

from tests.support import environment

environment.prepare_test_process()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.base_user import AbstractBaseUser  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from tests.support import servers  # noqa: E402
from tests.support.database import Database  # noqa: E402

QUICK = bool(os.environ.get("BENCH_QUICK"))
RUNS = int(os.environ.get("BENCH_RUNS", "1" if QUICK else "3"))
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, OTHER_CORE = {CORES[0]}, {CORES[-1]}
ROOMY = {
    "CHAT_MAX_CONCURRENT": 1000,
    "CHAT_MAX_ANSWERS_PER_MINUTE": 100_000,
    "CHAT_MAX_SOCKETS": 100_000,
    "CHAT_MAX_ANSWER": 10_000_000,
    "CHAT_RUN_TIMEOUT": 86_400,
    "CHAT_MODELS": "bench",
}


@contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """Pin processes that start inside the block to these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def database() -> Iterator[Database]:
    """Run PostgreSQL with the product's tables until the block ends."""
    with on(OTHER_CORE):
        running = Database()
    call_command("migrate", verbosity=0)
    try:
        yield running
    finally:
        running.stop()


class Provider:
    """The provider, in its own process."""

    def __init__(self) -> None:
        with on(OTHER_CORE):
            self.process = subprocess.Popen([sys.executable, "-m", "bench.provider"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def streams(self) -> dict[str, Any]:
        return self._get("streams")

    def written(self) -> int:
        return int(self._get("written")["written"])

    def _get(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{what}", timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def provider() -> Iterator[Provider]:
    running = Provider()
    try:
        yield running
    finally:
        running.stop()


class Clients:
    """The clients, in their own process. Use it as `clients.do("connect", …)`."""

    def __init__(self, kind: str) -> None:
        with on(OTHER_CORE):
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bench.clients", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )

    def tell(self, do: str, **how: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, **how}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the process of the clients ended")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def do(self, do: str, **how: object) -> dict[str, Any]:
        self.tell(do, **how)
        return self.hear()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def clients(kind: str) -> Iterator[Clients]:
    running = Clients(kind)
    try:
        yield running
    finally:
        running.stop()


class Subject:
    """A server under test: the kind of page that it serves, its URL, its CPU and its memory."""

    def __init__(self, name: str, kind: str, url: str, pid: int) -> None:
        self.name = name
        self.kind = kind
        self.url = url
        self.process = psutil.Process(pid)
        self._clock = ((~pid) << 3) | 2  # Linux: the CPU clock of another process with all its threads

    def cpu(self) -> float:
        """Seconds of CPU so far, user and system, including threads that have ended."""
        return time.clock_gettime(self._clock)

    def memory(self) -> int:
        """Resident memory in bytes."""
        return int(self.process.memory_info().rss)


OURS = "this chat"
ALL = {
    OURS: "chat",
    "FastAPI + openai iterator + SSE": "sse",
    "Channels + openai iterator + send": "token",
    "bare relay": "relay",
}
ONLY = os.environ.get("BENCH_ONLY", "").split(",")
"""Kinds of servers to compare ours with; all of them if unset."""

NAMES = {name: kind for name, kind in ALL.items() if name == OURS or ONLY == [""] or kind in ONLY}


@contextmanager
def subject(name: str, source: Provider, **overrides: object) -> Iterator[Subject]:
    """Run a fresh server of this name, with `source` as its provider, until the block ends."""
    kind = NAMES[name]
    more: dict[str, Any] = {**ROOMY, **overrides}
    if kind == "chat":
        with on(SERVER_CORE):
            server = servers.Server.start(OPENAI_BASE_URL=source.url, **more)
        try:
            yield Subject(name, kind, server.ws_url, server.process.pid)
        finally:
            server.end_if_running()
        return
    port = servers.free_port()
    with on(SERVER_CORE):
        process = subprocess.Popen(
            [sys.executable, "-m", *_command(kind, port)],
            env={**os.environ, "OPENAI_BASE_URL": source.url, "OPENAI_API_KEY": "none"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        _wait_for(port, process)
        path = f"http://127.0.0.1:{port}/chat" if kind == "sse" else f"ws://127.0.0.1:{port}/ws/"
        yield Subject(name, kind, path, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(kind: str, port: int) -> list[str]:
    if kind == "sse":
        return ["uvicorn", "bench.baselines.fastapi_sse:app", "--port", str(port), "--log-level", "warning"]
    if kind == "token":
        return ["daphne", "-v", "0", "-p", str(port), "bench.baselines.channels_tokens:application"]
    return ["bench.baselines.relay", str(port)]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"a baseline ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing", timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("a baseline did not start")


def cookies(number: int, subject: Subject) -> list[str]:
    """Create `number` signed-in people and return their cookies. Baselines have no people and get empty strings."""
    if subject.kind != "chat":
        return [""] * number
    made = [User(username=f"bench-{time.monotonic_ns()}-{i}", password="!") for i in range(number)]
    User.objects.bulk_create(made)
    return [sign_in(user) for user in made]


def sign_in(user: AbstractBaseUser) -> str:
    """Sign this person in and return the cookie."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def check(seen: dict[str, Any], written: dict[str, Any]) -> None:
    """Assert that each answer has the provider's words and, if the server sends text, the exact text."""
    from bench.text import WORD

    for answer in seen["answers"]:
        assert not answer["faults"], f"{answer['key']}: {answer['faults']}"
        wrote = written[answer["key"]]["text"]
        assert answer["words"] == "".join(WORD.findall(wrote)), (
            f"{answer['key']}: the words differ from what the provider wrote"
        )
        assert answer["text"] in ("", wrote), f"{answer['key']}: the text differs from what the provider wrote"


def check_saved(seen: dict[str, Any], written: dict[str, Any]) -> None:
    """Assert that the database has the exact text that the provider wrote, for each of these answers."""
    from conversations.models import Message

    for answer in seen["answers"]:
        prompt = Message.objects.get(role="user", content__startswith=f"key={answer['key']} ")
        saved = prompt.replies.get()
        assert saved.content == written[answer["key"]]["text"], (
            f"{answer['key']}: the saved text differs from what the provider wrote"
        )
        assert saved.status == "complete"


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def middle(values: list[float]) -> float:
    return median(values) if values else float("nan")


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)
