"""What of a conversation fits into a model's context: whole turns, the newest. No I/O but the tokenizer's."""

from collections.abc import Sequence

from .tokens import tokenizer

Turn = dict[str, str]

PER_MESSAGE = 4
"""Tokens that a message takes beside its text."""

ANSWER = 4096
"""Tokens that are left free for the answer at most; in a small window a quarter of it."""

PATIENCE = 1.0
"""Seconds that an exact count may take while somebody waits for the first word."""

LONGEST_TOKEN = 8
"""Bytes of a token on average, at the very most: text of more than that for each token certainly does not fit."""


class TooLong(Exception):
    """Not even the last turn fits: so many tokens, about, where there is room for `limit`."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"{tokens} tokens, room for {limit}")
        self.tokens = tokens
        self.limit = limit


def dropped(turns: Sequence[Turn], last: int, window: int) -> int:
    """How many messages behind the system prompt have to be left out, oldest first, so that the rest fits `window`
    tokens together with an answer. `last` is the place of the last prompt, which stays, with all that follows it.

    Raises TooLong. Blocks for `PATIENCE` seconds at most.
    """
    first = 1 if turns and turns[0]["role"] == "system" else 0
    free = window - min(ANSWER, window // 4)
    starts = [place for place in range(first, last) if turns[place]["role"] == "user"] + [last]
    sizes = [_bound(turn) for turn in turns]
    if sum(sizes) <= free:
        return 0
    starts = [start for start in starts if start == last or _bytes(turns[start:]) <= window * LONGEST_TOKEN]
    sizes = _count(turns, first, starts[0]) or sizes
    system = sum(sizes[:first])
    for start in starts:
        if system + sum(sizes[start:]) <= free:
            return start - first
    tokens, limit = system + sum(sizes[last:]), window - window // 8
    if tokens > limit:
        raise TooLong(tokens, limit)
    return last - first


def _count(turns: Sequence[Turn], first: int, start: int) -> list[int] | None:
    """Tokens of the system prompt and of the messages from `start` on; 0 for those between. None where they cannot be
    counted in time."""
    counted = [place for place in range(len(turns)) if place < first or place >= start]
    counts = tokenizer.count([turns[place]["content"] for place in counted], PATIENCE)
    if counts is None:
        return None
    sizes = dict(zip(counted, counts, strict=True))
    return [sizes[place] + PER_MESSAGE if place in sizes else 0 for place in range(len(turns))]


def _bound(turn: Turn) -> int:
    """At least as many tokens as ordinary text of this length has, in any language."""
    return len(turn["content"].encode("utf-8", "replace")) // 3 + PER_MESSAGE


def _bytes(turns: Sequence[Turn]) -> int:
    return sum(len(turn["content"].encode("utf-8", "replace")) for turn in turns)
