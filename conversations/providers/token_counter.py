"""How many tokens a text has, where the provider did not say: by the vocabulary of OpenAI's newer models, which others
come close to; and a rough figure without it."""

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

IDLE = 60.0
"""Seconds after which the program is ended: it holds some 80 MB."""

UNUSABLE = 1
"""How the program ends where its library is not installed."""

MOST = 4_000_000
"""Characters at once; more are not worth the time."""

PORTION = 200_000
"""Characters that the background counts at once: between two portions somebody who waits has their turn."""

BACKGROUND = 10.0
"""Seconds that a portion may take."""


def rough(characters: int) -> int:
    """Tokens of that many characters of English, about."""
    return math.ceil(characters / 4)


class Tokenizer:
    """Its methods block: they belong on a thread, and may be called from several, which take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._program: subprocess.Popen[str] | None = None
        self._used_at = 0.0
        self._closed = False
        self._missing = False

    def count(self, texts: Sequence[str], patience: float) -> list[int] | None:
        """Tokens of each text; None where the library is missing, the texts are too long, the program died, or all this
        took longer than `patience` seconds, waiting for one's turn included."""
        if self._missing or sum(map(len, texts)) > MOST:
            return None
        until = time.monotonic() + patience
        line = json.dumps([_clean(text) for text in texts])
        if not self._lock.acquire(timeout=patience):
            return None
        try:
            return None if self._closed else self._ask(line, max(0.0, until - time.monotonic()))
        finally:
            self._lock.release()

    def count_behind(self, text: str) -> int | None:
        """Tokens of a text for which nobody waits."""
        total = 0
        for start in range(0, len(text), PORTION):
            counts = self.count([text[start : start + PORTION]], BACKGROUND)
            if counts is None:
                return None
            total += counts[0]
        return total

    def rest(self) -> None:
        """End the program if it has not been used for a while."""
        if self._lock.acquire(blocking=False):
            try:
                if self._program is not None and time.monotonic() - self._used_at > IDLE:
                    self._end()
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the program, even while it counts."""
        self._closed = True
        program = self._program
        if program is not None:
            program.kill()
        with self._lock:
            self._end()

    def _ask(self, line: str, patience: float) -> list[int] | None:
        self._used_at = time.monotonic()
        try:
            program = self._program = self._program or _start()
            watchdog = threading.Timer(patience, program.kill)
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
        """Let the program end, as it does at the end of its input. Returns its code."""
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
    """Raises OSError, ValueError if the program ends."""
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
    """Without halves of characters, which cannot be written to the program."""
    return text.encode("utf-8", "replace").decode()


tokenizer = Tokenizer()
