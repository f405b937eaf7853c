"""The events that a page gets (docs/protocol.md), as UTF-8 made once for all."""

import msgspec

from .commands import ID
from .refusal import Refusal


def _plain(value: object) -> str:
    """Rendered HTML is a subclass of str, which msgspec does not take."""
    if isinstance(value, str):
        return str.__str__(value)
    raise NotImplementedError


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def _event(op: str, **fields: object) -> bytes:
    return _encode({"op": op, **fields})


HELLO = _event("hello")
PING = _event("ping")


def watching(conversation: ID | None, generation: ID | None) -> bytes:
    return _event("watching", conversation=conversation, generation=generation)


def transcript(**fields: object) -> bytes:
    return _event("transcript", **fields)


def snapshot(generation: ID, message: ID, seq: int, html: str, tail: str) -> bytes:
    return _event("snapshot", generation=generation, message=message, seq=seq, html=html, tail=tail)


def delta(generation: ID, seq: int, html: str, tail: str, before: str) -> bytes:
    """`before`: the tail that pages have; of the new one they are sent what differs."""
    same = common_prefix(before, tail)
    return _event("delta", generation=generation, seq=seq, html=html, keep=_utf16_length(tail[:same]), tail=tail[same:])


def common_prefix(one: str, other: str) -> int:
    """How many characters at the beginning of two texts are the same. Compares slices, because a loop over a tail of
    thousands of lines would take longer than all the rest."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _utf16_length(text: str) -> int:
    """Its length as JavaScript counts: in units of UTF-16 (ECMA-262, 6.1.4)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def stopping(generation: ID) -> bytes:
    return _event("stopping", generation=generation)


def saving(generation: ID) -> bytes:
    return _event("saving", generation=generation)


def end(generation: ID, message: ID, seq: int, **fields: object) -> bytes:
    return _event("end", generation=generation, message=message, seq=seq, **fields)


def standing(generation: ID, message: ID, status: str, reason: str, command: ID | None) -> bytes:
    """`command`: what the stop named, where that was not the generation."""
    return _event("standing", generation=generation, message=message, status=status, reason=reason, id=command)


def activity(conversation: ID, generation: ID | None, title: str) -> bytes:
    return _event("activity", conversation=conversation, generation=generation, title=title)


def refused(command: str | None, refers: str | None, refusal: Refusal) -> bytes:
    return _event("refused", id=command, refers=refers, code=refusal.code, sentence=refusal.sentence)
