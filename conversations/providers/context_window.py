"""What of a conversation fits into a model's context: whole turns, the newest.

`dropped` decides within the transaction of a command, so it never waits: texts that have to be counted first are named
by `Uncounted`. The caller leaves the transaction, lets `measure` count them, and begins again.
"""

import hashlib
import threading
import time
from collections.abc import Sequence

from .token_counter import tokenizer

Turn = dict[str, str]

PER_MESSAGE = 4
"""Tokens that a message takes beside its text."""

ANSWER = 4096
"""Tokens that are left free for the answer at most; in a small window a quarter of it."""

PATIENCE = 1.0
"""Seconds that an exact count may take while somebody waits for the first word."""

ESTIMATE = 10.0
"""Seconds for which an estimate serves, where the text could not be counted in time."""

REMEMBERED = 20_000
"""Texts whose size is kept in memory: some 3 MB."""

LONGEST_TOKEN = 8
"""Bytes of a token on average, at the very most: text of more than that for each token certainly does not fit."""


class TooLong(Exception):
    """Not even the last turn fits: so many tokens, about, where there is room for `limit`."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"{tokens} tokens, room for {limit}")
        self.tokens = tokens
        self.limit = limit


class Uncounted(Exception):
    """These texts have to be counted before anything can be decided."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(f"{len(texts)} texts")
        self.texts = texts


class Sizes:
    """Tokens of texts that were counted, by their digest. May be used from any thread."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def of(self, text: str) -> int | None:
        tokens, until = self._known.get(_digest(text), (0, 0.0))
        return tokens if time.monotonic() < until else None

    def keep(self, text: str, tokens: int, seconds: float = float("inf")) -> None:
        """The oldest gives way to the newest."""
        with self._lock:
            self._known[_digest(text)] = tokens, time.monotonic() + seconds
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]


sizes = Sizes()


def measure(texts: Sequence[str]) -> None:
    """Count them, so that `dropped` knows their size; those that cannot be counted are estimated for a while. Blocks
    for `PATIENCE` seconds at most: it belongs on a thread, and outside of every transaction."""
    counts = tokenizer.count(texts, PATIENCE)
    for place, text in enumerate(texts):
        if counts is None:
            sizes.keep(text, _bound(text), ESTIMATE)
        else:
            sizes.keep(text, counts[place])


def dropped(turns: Sequence[Turn], last: int, window: int) -> int:
    """How many messages behind the system prompt have to be left out, oldest first, so that the rest fits `window`
    tokens together with an answer. `last` is the place of the last prompt, which stays, with all that follows it.

    Raises TooLong, Uncounted.
    """
    first = 1 if turns and turns[0]["role"] == "system" else 0
    free = window - min(ANSWER, window // 4)
    if sum(_bound(turn["content"]) + PER_MESSAGE for turn in turns) <= free:
        return 0
    starts = [place for place in range(first, last) if turns[place]["role"] == "user"] + [last]
    starts = [start for start in starts if start == last or _bytes(turns[start:]) <= window * LONGEST_TOKEN]
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
    """Tokens of the system prompt and of the messages from `start` on; 0 for those between. Raises Uncounted."""
    texts = {place: turns[place]["content"] for place in range(len(turns)) if place < first or place >= start}
    known = {place: sizes.of(text) for place, text in texts.items()}
    if missing := [texts[place] for place, size in known.items() if size is None]:
        raise Uncounted(missing)
    return [(known[place] or 0) + PER_MESSAGE if place in known else 0 for place in range(len(turns))]


def _bound(text: str) -> int:
    """At least as many tokens as ordinary text of this length has, in any language."""
    return len(text.encode("utf-8", "replace")) // 3


def _bytes(turns: Sequence[Turn]) -> int:
    return sum(len(turn["content"].encode("utf-8", "replace")) for turn in turns)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
