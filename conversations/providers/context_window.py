"""Fits a conversation into a model's context window by dropping its oldest turns.

`messages_to_drop` is called within the transaction of a command, so it never waits: it raises `Uncounted` with the
texts that have to be counted first. The caller then leaves the transaction, calls `count_texts` and starts again.
"""

import hashlib
import threading
import time
from collections.abc import Sequence

from .prompt_turn import Turn
from .token_counter import tokenizer

TOKENS_PER_MESSAGE = 4
"""Tokens of a message in addition to those of its text."""

MAX_RESERVED = 4096
"""Tokens reserved for the answer; in a small window, a quarter of it."""

COUNT_TIMEOUT = 1.0
"""Seconds that an exact count may take while somebody waits for the first token."""

ESTIMATE_LIFETIME = 10.0
"""Seconds for which an estimate is used if a text could not be counted in time."""

MAX_SIZES = 20_000
"""Texts whose size is kept in memory: about 3 MB."""

MAX_BYTES_PER_TOKEN = 8
"""No text has more bytes for each token on average, so a text longer than this times the window does not fit."""


class TooLong(Exception):
    """Not even the last turn fits. `tokens`: about how many it has; `limit`: how many fit."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"{tokens} tokens, room for {limit}")
        self.tokens = tokens
        self.limit = limit


class Uncounted(Exception):
    """`texts` have to be counted first."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(f"{len(texts)} texts")
        self.texts = texts


class SizeCache:
    """The tokens of counted texts, by their digests. May be used from any thread."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def get(self, text: str) -> int | None:
        """The tokens of a text, if they are known."""
        tokens, until = self._known.get(_digest(text), (0, 0.0))
        return tokens if time.monotonic() < until else None

    def keep(self, text: str, tokens: int, seconds: float = float("inf")) -> None:
        """Remember the tokens of a text for this many seconds. A full cache drops its oldest entry."""
        with self._lock:
            self._known[_digest(text)] = tokens, time.monotonic() + seconds
            if len(self._known) > MAX_SIZES:
                del self._known[next(iter(self._known))]


sizes = SizeCache()


def count_texts(texts: Sequence[str]) -> None:
    """Count texts for `messages_to_drop`; texts that cannot be counted are estimated for a while. Blocks for up to
    `COUNT_TIMEOUT` seconds, so it belongs on a thread and outside of transactions."""
    counts = tokenizer.count(texts, COUNT_TIMEOUT)
    for place, text in enumerate(texts):
        if counts is None:
            sizes.keep(text, _bound(text), ESTIMATE_LIFETIME)
        else:
            sizes.keep(text, counts[place])


def messages_to_drop(turns: Sequence[Turn], last: int, window: int) -> int:
    """How many messages after the system prompt have to be dropped, oldest first, so that the others and an answer fit
    into `window` tokens. `last` is the index of the last prompt; it and everything after it are kept.

    Raises TooLong, Uncounted. Never waits.
    """
    first = 1 if turns and turns[0]["role"] == "system" else 0
    free = window - min(MAX_RESERVED, window // 4)
    if sum(_bound(turn["content"]) + TOKENS_PER_MESSAGE for turn in turns) <= free:
        return 0
    starts = [place for place in range(first, last) if turns[place]["role"] == "user"] + [last]
    starts = [start for start in starts if start == last or _bytes(turns[start:]) <= window * MAX_BYTES_PER_TOKEN]
    counts = _counts(turns, first, starts[0])
    system = sum(counts[:first])
    for start in starts:
        if system + sum(counts[start:]) <= free:
            return start - first
    tokens, limit = system + sum(counts[last:]), window - window // 8
    if tokens > limit:
        raise TooLong(tokens, limit)
    return last - first


def _counts(turns: Sequence[Turn], first: int, start: int) -> list[int]:
    """The tokens of the system prompt and of the messages from `start` on; 0 for those between. Raises Uncounted."""
    texts = {place: turns[place]["content"] for place in range(len(turns)) if place < first or place >= start}
    known = {place: sizes.get(text) for place, text in texts.items()}
    if missing := [texts[place] for place, size in known.items() if size is None]:
        raise Uncounted(missing)
    return [(known[place] or 0) + TOKENS_PER_MESSAGE if place in known else 0 for place in range(len(turns))]


def _bound(text: str) -> int:
    """An upper bound of the tokens of an ordinary text, in any language."""
    return len(text.encode("utf-8", "replace")) // 3


def _bytes(turns: Sequence[Turn]) -> int:
    return sum(len(turn["content"].encode("utf-8", "replace")) for turn in turns)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
