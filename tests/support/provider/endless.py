"""An endless answer, and how fast a Stop has to close its connection."""

CLOSE_LIMIT = 1.0
"""Seconds from the click until the socket is closed; most of them are for busy machines."""
RATE = 20


def endless():
    number = 0
    while True:
        number += 1
        yield f"word{number} "
