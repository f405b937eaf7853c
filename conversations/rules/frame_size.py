"""How long a frame of a page may have to be. Knows nothing of Django: `chatapp.environment` uses it."""

LONGEST_INSTRUCTIONS = 8000
"""Characters of a system prompt."""

ESCAPED = 6
"""Bytes of JSON that one character may take: a control character is six, any other at most four."""

AROUND = 4096
"""Bytes of a frame that are neither prompt nor instructions."""


def frame_for(prompt: int) -> int:
    """The longest frame that a prompt of so many characters can make, in bytes."""
    return ESCAPED * (prompt + LONGEST_INSTRUCTIONS) + AROUND
