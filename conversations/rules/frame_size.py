"""The maximum size of the frame that carries a prompt.

Uses nothing of Django, because `chatapp.installation_settings` imports it.
"""

MAX_SYSTEM_PROMPT = 8000
"""Maximum length of a system prompt, in characters."""

MAX_BYTES_PER_CHARACTER = 6
"""Bytes that one character can take in JSON: a control character takes six, any other no more than four."""

OVERHEAD = 4096
"""Bytes of a frame that are neither prompt nor system prompt."""


def max_frame_size(max_prompt: int) -> int:
    """Return the size in bytes of the largest frame that a prompt of `max_prompt` characters can make."""
    return MAX_BYTES_PER_CHARACTER * (max_prompt + MAX_SYSTEM_PROMPT) + OVERHEAD
