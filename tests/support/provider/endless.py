"""An endless answer, and how fast a Stop has to close its connection."""

CLOSE_LIMIT = 1.0
"""Seconds from the click to the closed socket; a busy machine gets most of them."""
RATE = 20


def endless():
    number = 0
    while True:
        number += 1
        yield f"word{number} "
