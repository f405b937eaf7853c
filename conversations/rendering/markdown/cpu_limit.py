"""A limit on the processor time of one piece of work, for a program that only renders.

The limit counts the time that the work itself uses, so the result does not depend on how busy the machine is. It
interrupts Python code and regular expressions, but no library written in Rust. It does nothing in other programs, whose
signals belong to the server, or on any thread but the main one.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_enabled = False


class CpuLimitError(BaseException):
    """The time is used up. Not an Exception, because parsers and lexers catch those."""


def enable() -> None:
    """Make limits count in this process. To be called once, on the main thread."""
    global _enabled
    signal.signal(signal.SIGVTALRM, _interrupt)
    signal.signal(signal.SIGPROF, _interrupt)
    _enabled = True


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise CpuLimitError


@contextmanager
def inner(seconds: float) -> Iterator[None]:
    """Raise CpuLimitError within the body once it has used `seconds` of processor time. May be used within `outer`,
    but not within itself: each has one timer."""
    with _limit(signal.ITIMER_VIRTUAL, seconds):
        yield


@contextmanager
def outer(seconds: float) -> Iterator[None]:
    """Like `inner`, around any number of those."""
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
