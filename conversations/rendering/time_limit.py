"""A limit of processor time for one piece of work, in a program that renders and does nothing else.

The limit counts what the work itself uses, so a busy machine changes nothing about what comes out. It interrupts Python
and regular expressions, not libraries in Rust. In other programs, and on other threads than the first, there is none:
signals belong to the server there.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_enabled = False


class TooLongError(BaseException):
    """The time is used up. No Exception: parsers catch those of any kind."""


def enable() -> None:
    """Let limits count in this program."""
    global _enabled
    signal.signal(signal.SIGVTALRM, _interrupt)
    signal.signal(signal.SIGPROF, _interrupt)
    _enabled = True


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise TooLongError


@contextmanager
def piece(seconds: float) -> Iterator[None]:
    """Raise TooLongError in what is done within once it has used so much time."""
    with _limit(signal.ITIMER_VIRTUAL, seconds):
        yield


@contextmanager
def block(seconds: float) -> Iterator[None]:
    """The same, around any number of pieces."""
    with _limit(signal.ITIMER_PROF, seconds):
        yield


@contextmanager
def _limit(timer: int, seconds: float) -> Iterator[None]:
    if not _enabled or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
