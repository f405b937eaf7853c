"""The events that the server sends to a page, one function for each `op` of docs/protocol.md.

Each returns a complete frame as UTF-8 JSON, so that it is encoded once for all viewers.
"""

import msgspec

from .commands import ID
from .refusal import Refusal


def _plain(value: object) -> str:
    """Rendered HTML is a subclass of str, which msgspec does not encode."""
    if isinstance(value, str):
        return str.__str__(value)
    raise NotImplementedError


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def _event(op: str, **fields: object) -> bytes:
    return _encode({"op": op, **fields})


HELLO = _event("hello")
PING = _event("ping")


def watching(conversation: ID | None, generation: ID | None) -> bytes:
    """The answer to `watch`. `generation`: the one that is running, if any."""
    return _event("watching", conversation=conversation, generation=generation)


def transcript(**fields: object) -> bytes:
    """Replace everything after a message. Fields: `conversation`, `after`, `html`, `head`, `generation`, `id` (of the
    command that caused it), `url`, `title`."""
    return _event("transcript", **fields)


def snapshot(generation: ID, message: ID, seq: int, html: str, tail: str) -> bytes:
    """The whole answer so far: `html` of the finished blocks, and the unfinished `tail`. Deltas go on at `seq` + 1."""
    return _event("snapshot", generation=generation, message=message, seq=seq, html=html, tail=tail)


def delta(generation: ID, seq: int, html: str, tail: str, before: str) -> bytes:
    """New finished blocks (`html`) and the new `tail`. Only the part of it that differs from `before`, the tail that
    pages already have, is sent."""
    same = common_prefix(before, tail)
    return _event("delta", generation=generation, seq=seq, html=html, keep=_utf16_length(tail[:same]), tail=tail[same:])


def common_prefix(one: str, other: str) -> int:
    """Return the length of the common prefix of two texts. A binary search over slices: a loop over a tail of thousands
    of lines would take longer than everything else about the event."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _utf16_length(text: str) -> int:
    """The length that JavaScript sees, in UTF-16 code units (ECMA-262, 6.1.4)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def stopping(generation: ID) -> bytes:
    """Somebody asked to stop."""
    return _event("stopping", generation=generation)


def saving(generation: ID) -> bytes:
    """The answer has ended, but is not saved yet."""
    return _event("saving", generation=generation)


def end(generation: ID, message: ID, seq: int, **fields: object) -> bytes:
    """The one end of a generation. Fields: `status`, `reason`, `note` and `footer` (HTML), `announce` (for the status
    region)."""
    return _event("end", generation=generation, message=message, seq=seq, **fields)


def standing(generation: ID, message: ID, status: str, reason: str, command: ID | None) -> bytes:
    """The answer to a `stop` that came after the end: how the generation ended. `command`: the id in the `stop`, if it
    named the command and not the generation."""
    return _event("standing", generation=generation, message=message, status=status, reason=reason, id=command)


def activity(conversation: ID, generation: ID | None, title: str) -> bytes:
    """Something changed in one of the person's conversations. `generation`: the one that is running, if any."""
    return _event("activity", conversation=conversation, generation=generation, title=title)


def refused(command: str | None, refers: str | None, refusal: Refusal) -> bytes:
    """A command was not carried out. `command` is its id and `refers` its op, if known."""
    return _event("refused", id=command, refers=refers, code=refusal.code, sentence=refusal.sentence)
