"""Waits for a condition, with a timeout; tests do this instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

TIMEOUT = 10.0
POLL_INTERVAL = 0.02

T = TypeVar("T")


def eventually(probe: Callable[[], T], what: str = "", timeout: float = TIMEOUT) -> T:
    """Call `probe` until it returns something truthy; returns that. Raises AssertionError after `timeout` seconds."""
    limit = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError(f"not within {timeout:g} s: {what or probe}; last seen: {found!r}")
        time.sleep(POLL_INTERVAL)
