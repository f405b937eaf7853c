"""Rendering that does not hold up the server: quick work is done at once, the rest in child programs.

There are two of those (`worker_process`), so that one person's long answer does not delay another's code block. Each
renders one task after the other, is started when it is needed, and is ended after some time without work. One that
hangs or dies is replaced, and the text shows as it was written.
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

from conversations.rendering.markdown.stream import MarkdownStream
from conversations.rendering.markdown.task import Result, Task, fallback, perform_if_quick

from . import worker_process

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]

MAX_SHORT = 16_000
"""Characters of a text that goes to the first worker; longer ones go to the second."""

TASK_TIMEOUT = 10.0
"""Seconds that one task may take before its program is replaced. An ordinary long one takes two."""

RENDER_TIMEOUT = 4.0
"""Seconds that a page waits for an answer's HTML, including the tasks ahead of it."""

SHORT_IDLE_TIMEOUT, LONG_IDLE_TIMEOUT = 600.0, 60.0
"""Seconds after which a program without work is ended: it takes up about 50 MB."""

_encode_task = msgspec.msgpack.Encoder().encode
_decode_result = msgspec.msgpack.Decoder(Result).decode

ResultFuture = Future[Result | None]


class Worker:
    """One child program, and the thread that talks to it. May be used from any thread."""

    def __init__(self, name: str, idle_timeout: float) -> None:
        self._name = name
        self._idle_timeout = idle_timeout
        self._queue: queue.SimpleQueue[tuple[Task, ResultFuture]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process ID of the program; None while none runs."""
        process = self._process
        return process.pid if process is not None else None

    def submit(self, task: Task) -> ResultFuture:
        """The future result of `task`; None if the program failed. May be cancelled until the task begins."""
        future: ResultFuture = Future()
        if self._closed:
            future.set_result(None)
            return future
        self._queue.put((task, future))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
        return future

    def close(self) -> None:
        """End the program, even during a task. The results of all waiting tasks are None."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def _work(self) -> None:
        while True:
            try:
                task, future = self._queue.get(timeout=self._idle_timeout)
            except queue.Empty:
                self._end_process()
                continue
            if future.set_running_or_notify_cancel():
                future.set_result(None if self._closed else self._perform(task))

    def _perform(self, task: Task) -> Result | None:
        try:
            process = self._process = self._process or _start_process()
            watchdog = threading.Timer(TASK_TIMEOUT, process.kill)
            watchdog.daemon = True
            watchdog.start()
            try:
                return _exchange(process, task)
            finally:
                watchdog.cancel()
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            self._end_process()
            if not self._closed:
                logger.warning("a text of %d characters was not rendered: %s", len(task.source), type(error).__name__)
            return None

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _start_process() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", worker_process.__name__],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},  # it needs no secrets
    )


def _exchange(process: "subprocess.Popen[bytes]", task: Task) -> Result:
    """Send a task and wait for its result. Raises OSError or ValueError if the program ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    worker_process.write(process.stdin, _encode_task(task))
    answer = worker_process.read(process.stdout)
    if answer is None:
        raise ChildProcessError("the program ended")
    return _decode_result(answer)


_short, _long = Worker("rendering", SHORT_IDLE_TIMEOUT), Worker("rendering of long texts", LONG_IDLE_TIMEOUT)


def warm_up() -> None:
    """Start the program that the first code block will need. Does not wait for it."""
    submit(MarkdownStream().task())


def submit(task: Task) -> ResultFuture:
    """The future result of `task`; None if rendering failed. For any thread."""
    return (_short if len(task.source) <= MAX_SHORT else _long).submit(task)


def submit_from_loop(task: Task, callback: Callable[[Result | None], None]) -> None:
    """Submit a task; later call `callback` with the result, or with None, on the running event loop."""
    loop = asyncio.get_running_loop()

    def done(future: ResultFuture) -> None:
        with suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(callback, future.result())

    submit(task).add_done_callback(done)


def render(text: str, *, last: bool) -> tuple[MarkdownStream, bool]:
    """Render an answer as far as it goes. `last`: it is complete. Returns it, and whether that succeeded: otherwise it
    shows as it was written. Blocks for up to `RENDER_TIMEOUT`, so it belongs on a thread."""
    answer = MarkdownStream(text)
    task = answer.task(last=last)
    result = perform_if_quick(task) or _wait(submit(task))
    answer.apply(result or fallback(task))
    return answer, result is not None


def _wait(future: ResultFuture) -> Result | None:
    try:
        return future.result(RENDER_TIMEOUT)
    except TimeoutError:
        future.cancel()
        return None


def close() -> None:
    """End the programs."""
    for worker in (_short, _long):
        worker.close()


atexit.register(close)
