"""Answers that do not end of themselves, and how soon a stop has to reach the provider."""

SOON = 1.0
"""Seconds from the click to the closed socket; a busy machine gets most of them."""
RATE = 20


def endless():
    number = 0
    while True:
        number += 1
        yield f"word{number} "
