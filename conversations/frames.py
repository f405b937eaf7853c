"""The socket's frames (docs/protocol.md): commands in, typed and checked; events out, as UTF-8 made once for all."""

import re
import uuid
from typing import Any

import msgspec
from django.utils.translation import gettext as _

ID = uuid.UUID


class Refusal(Exception):
    """A command that is not carried out. `sentence` is for the person, `code` for the page."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Command(msgspec.Struct, tag_field="op", forbid_unknown_fields=True):
    """One frame of the page. The tag is the class's name in small letters."""

    @property
    def name(self) -> str:
        return type(self).__name__.lower()


class Watch(Command, tag="watch"):
    conversation: ID | None = None
    head: ID | None = None
    status: str | None = None
    page: str | None = None
    branch: ID | None = None


class Send(Command, tag="send"):
    id: ID
    content: str
    conversation: ID | None = None
    parent: ID | None = None
    model: str | None = None
    system_prompt: str | None = None
    temperature: float | None = None


class Edit(Command, tag="edit"):
    id: ID
    message: ID
    content: str
    model: str | None = None


class Regenerate(Command, tag="regenerate"):
    id: ID
    message: ID
    model: str | None = None


class Continue(Command, tag="continue"):
    id: ID
    message: ID
    model: str | None = None


class Stop(Command, tag="stop"):
    generation: ID | None = None
    id: ID | None = None


class Ack(Command, tag="ack"):
    received: int


Asking = Send | Edit | Regenerate | Continue
"""The commands that start a generation."""

_decode = msgspec.json.Decoder(Watch | Send | Edit | Regenerate | Continue | Stop | Ack).decode


def _plain(value: object) -> str:
    """Rendered HTML is a subclass of str, which msgspec does not take."""
    if isinstance(value, str):
        return str.__str__(value)
    raise NotImplementedError


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_FIELD = re.compile(r"[`$.]+(\w+)`")


def parse(text: str | bytes | None) -> Command:
    """A frame as a typed command. Raises Refusal."""
    if not isinstance(text, str):
        raise Refusal("malformed", _("Only text frames are understood here."))
    try:
        command: Command = _decode(text)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refusal("malformed", _("That frame is not JSON.")) from error
    if isinstance(command, Stop) and (command.generation is None) == (command.id is None):
        raise Refusal("malformed", _("A stop names either a generation or the command that asked for it."))
    return command


def _refusal(message: str) -> Refusal:
    if message.startswith("Invalid value") and "$.op" in message:
        return Refusal("unknown_op", _("That command is not known here."))
    field = _FIELD.search(message)
    name = field.group(1) if field else ""
    if "missing required" in message:
        return Refusal("malformed", _("The field “%(name)s” is missing.") % {"name": name})
    if "unknown field" in message:
        return Refusal("malformed", _("The field “%(name)s” is not known here.") % {"name": name})
    if name:
        return Refusal("malformed", _("The field “%(name)s” is not of the right type.") % {"name": name})
    return Refusal("malformed", _("A frame is one JSON object."))


def identify(text: str | bytes | None) -> tuple[str | None, str | None]:
    """(id, op) of a frame that was refused, where they can be made out."""
    try:
        frame = msgspec.json.decode(text or b"")
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None, None
    if not isinstance(frame, dict):
        return None, None
    return _short(frame.get("id")), _short(frame.get("op"))


def _short(value: Any) -> str | None:
    return value[:64] if isinstance(value, str) else None


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
    same = common(before, tail)
    return _event("delta", generation=generation, seq=seq, html=html, keep=_units(tail[:same]), tail=tail[same:])


def common(one: str, other: str) -> int:
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


def _units(text: str) -> int:
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
