"""The socket's frames (docs/protocol.md): commands in, typed and checked; events out, as UTF-8 made once for all."""

import re
import uuid
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from .refusal import Refusal

ID = uuid.UUID


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


StartCommand = Send | Edit | Regenerate | Continue
"""The commands that start a generation."""

_decode = msgspec.json.Decoder(Watch | Send | Edit | Regenerate | Continue | Stop | Ack).decode
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


def id_and_op(text: str | bytes | None) -> tuple[str | None, str | None]:
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
