"""Counts the tokens of a text if the provider gave no count, or estimates them from its length. Uses the vocabulary of
OpenAI's newer models; other vocabularies give similar counts."""

import json
import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("tokenizer_worker.py")

IDLE_TIMEOUT = 60.0
"""Seconds without use after which the worker is ended: it takes about 80 MB."""

UNUSABLE = 1
"""Exit status of the worker if its library is not installed."""

MAX_CHARACTERS = 4_000_000
"""Characters that one call counts; a longer text is not worth the time."""

BACKGROUND_BATCH = 200_000
"""Characters of one call in the background: between two calls, somebody who is waiting gets a turn."""

BACKGROUND_TIMEOUT = 10.0
"""Seconds that one call in the background may take."""


def estimated_tokens(characters: int) -> int:
    """The approximate number of tokens of an English text of this length."""
    return math.ceil(characters / 4)


class Tokenizer:
    """Counts tokens in a worker process. Its methods block, so they belong on threads; several threads take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._program: subprocess.Popen[str] | None = None
        self._used_at = 0.0
        self._closed = False
        self._missing = False

    def count(self, texts: Sequence[str], timeout: float) -> list[int] | None:
        """The tokens of each text. None if the library is missing, the texts are too long, the worker died, or it took
        longer than `timeout` seconds including the wait for a turn."""
        if self._missing or sum(map(len, texts)) > MAX_CHARACTERS:
            return None
        until = time.monotonic() + timeout
        line = json.dumps([_clean(text) for text in texts])
        if not self._lock.acquire(timeout=timeout):
            return None
        try:
            return None if self._closed else self._request(line, max(0.0, until - time.monotonic()))
        finally:
            self._lock.release()

    def count_in_background(self, text: str) -> int | None:
        """The tokens of a text of any length for which nobody waits; None if it could not be counted."""
        total = 0
        for start in range(0, len(text), BACKGROUND_BATCH):
            counts = self.count([text[start : start + BACKGROUND_BATCH]], BACKGROUND_TIMEOUT)
            if counts is None:
                return None
            total += counts[0]
        return total

    def end_if_idle(self) -> None:
        """End the worker if it has been unused for `IDLE_TIMEOUT`."""
        if self._lock.acquire(blocking=False):
            try:
                if self._program is not None and time.monotonic() - self._used_at > IDLE_TIMEOUT:
                    self._end()
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the worker, even while it counts."""
        self._closed = True
        program = self._program
        if program is not None:
            program.kill()
        with self._lock:
            self._end()

    def _request(self, line: str, timeout: float) -> list[int] | None:
        self._used_at = time.monotonic()
        try:
            program = self._program = self._program or _start()
            watchdog = threading.Timer(timeout, program.kill)
            watchdog.start()
            try:
                counts = _exchange(program, line)
            finally:
                watchdog.cancel()
        except (OSError, ValueError) as error:
            self._missing = self._end() == UNUSABLE
            if not self._closed:
                logger.warning("tokens are estimated from characters: %s", type(error).__name__)
            return None
        return counts

    def _end(self) -> int | None:
        """End the worker by closing its input. Returns its exit status."""
        program, self._program = self._program, None
        if program is None:
            return None
        try:
            program.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()
        return program.returncode


def _exchange(program: "subprocess.Popen[str]", line: str) -> list[int]:
    """Raises OSError, ValueError if the worker ends."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(f"{line}\n")
    program.stdin.flush()
    counts: list[int] = json.loads(program.stdout.readline())
    return counts


def _start() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},  # it needs no key
        text=True,
        encoding="utf-8",
    )


def _clean(text: str) -> str:
    """Replace lone surrogates, which cannot be encoded for the worker."""
    return text.encode("utf-8", "replace").decode()


tokenizer = Tokenizer()
