"""How long a frame of a page may have to be. Knows nothing of Django: `chatapp.environment` uses it."""

MAX_SYSTEM_PROMPT = 8000
"""Characters of a system prompt."""

MAX_BYTES_PER_CHARACTER = 6
"""Bytes of JSON that one character may take: a control character is six, any other at most four."""

OVERHEAD = 4096
"""Bytes of a frame that are neither prompt nor instructions."""


def max_frame_size(prompt: int) -> int:
    """The longest frame that a prompt of so many characters can make, in bytes."""
    return MAX_BYTES_PER_CHARACTER * (prompt + MAX_SYSTEM_PROMPT) + OVERHEAD
