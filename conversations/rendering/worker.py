"""Rendering that does not hold up the server: what is quick is done at once, the rest in programs of its own
(`renderer`), one after the other. A program that hangs or dies is replaced, and that text shown as it was written.

There are two, so that nobody's long answer keeps the code block of another waiting; each is started when it is needed
and ended when it has not been for a while.
"""

import asyncio
import atexit
import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import msgspec

from . import markdown, worker_process
from .markdown import Growing, Step, Work

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]

SHORT = 16_000
"""Characters; longer ones are the second program's."""

PATIENCE = 10.0
"""Seconds that one piece of work may take before its program is replaced: the usual long one takes two."""

WAITING = 4.0
"""Seconds that a page waits for an answer's HTML, those before it included."""

IDLE_SHORT, IDLE_LONG = 600.0, 60.0
"""Seconds after which a program that had nothing to do is ended: it holds some 50 MB."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Step).decode

Result = Future[Step | None]


class Program:
    """One program and the thread that talks to it. May be used from any thread."""

    def __init__(self, name: str, idle: float) -> None:
        self._name = name
        self._idle = idle
        self._waiting: queue.SimpleQueue[tuple[Work, Result]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None else None

    def submit(self, work: Work) -> Result:
        """What becomes of `work`; None if the program could not do it."""
        result: Result = Future()
        if self._closed:
            result.set_result(None)
            return result
        self._waiting.put((work, result))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return result

    def close(self) -> None:
        """End the program, even while it works. What waits is not done."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def _run(self) -> None:
        while True:
            try:
                work, result = self._waiting.get(timeout=self._idle)
            except queue.Empty:
                self._end()
                continue
            if result.set_running_or_notify_cancel():
                result.set_result(None if self._closed else self._render(work))

    def _render(self, work: Work) -> Step | None:
        try:
            process = self._process = self._process or _start()
            watchdog = threading.Timer(PATIENCE, process.kill)
            watchdog.daemon = True
            watchdog.start()
            try:
                return _exchange(process, work)
            finally:
                watchdog.cancel()
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            self._end()
            if not self._closed:
                logger.warning("a text of %d characters was not rendered: %s", len(work.source), type(error).__name__)
            return None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", worker_process.__name__],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},  # it needs no key
    )


def _exchange(process: "subprocess.Popen[bytes]", work: Work) -> Step:
    """Raises OSError, ValueError if the program ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    worker_process.write(process.stdin, _encode(work))
    answer = worker_process.read(process.stdout)
    if answer is None:
        raise ChildProcessError("the program ended")
    return _decode(answer)


_short, _long = Program("rendering", IDLE_SHORT), Program("rendering of long texts", IDLE_LONG)


def warm_up() -> None:
    """Start the program that the first block of code needs. Does not wait for it."""
    submit(Growing().work())


def submit(work: Work) -> Result:
    return (_short if len(work.source) <= SHORT else _long).submit(work)


def soon(work: Work, then: Callable[[Step | None], None]) -> None:
    """Do the work elsewhere and call `then` with the result, on this event loop."""
    loop = asyncio.get_running_loop()

    def done(result: Result) -> None:
        with suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(then, result.result())

    submit(work).add_done_callback(done)


def growing(text: str, *, last: bool) -> tuple[Growing, bool]:
    """An answer so far, rendered; and whether it was: if not, it shows as it was written. Blocks, for a few seconds at
    most, so it belongs on a thread."""
    answer = Growing(text)
    work = answer.work(last=last)
    made = markdown.quick(work) or _waited(submit(work))
    answer.took(made or markdown.plain(work))
    return answer, made is not None


def _waited(result: Result) -> Step | None:
    try:
        return result.result(WAITING)
    except TimeoutError:
        result.cancel()
        return None


def close() -> None:
    """End the programs."""
    for program in (_short, _long):
        program.close()


atexit.register(close)
