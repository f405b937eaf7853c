"""The commands that a page sends (docs/protocol.md), parsed into checked types."""

import re
import uuid
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from .refusal import Refusal

ID = uuid.UUID


class Command(msgspec.Struct, tag_field="op", forbid_unknown_fields=True):
    """One frame from the page. Its `op` is the name of the class in lower case. Unknown fields are refused."""

    @property
    def name(self) -> str:
        return type(self).__name__.lower()


class Watch(Command, tag="watch"):
    """Show a conversation. `head` and `status`: the last message on the page and its state. `page`: the page's nonce.
    `branch`: the leaf of the branch that the page shows, if it is not the one on screen."""

    conversation: ID | None = None
    head: ID | None = None
    status: str | None = None
    page: str | None = None
    branch: ID | None = None


class Send(Command, tag="send"):
    """Ask. Without `conversation` this starts a new one, with `system_prompt` and `temperature`. `parent`: the last
    message on the page. In this and the next three, the page chooses `id`, and a repeated `id` is the same command."""

    id: ID
    content: str
    conversation: ID | None = None
    parent: ID | None = None
    model: str | None = None
    system_prompt: str | None = None
    temperature: float | None = None


class Edit(Command, tag="edit"):
    """Write a new version of the person's own `message`, and ask again."""

    id: ID
    message: ID
    content: str
    model: str | None = None


class Regenerate(Command, tag="regenerate"):
    """Write another version of the answer `message`."""

    id: ID
    message: ID
    model: str | None = None


class Continue(Command, tag="continue"):
    """Write a new version of the answer `message` that begins with its text."""

    id: ID
    message: ID
    model: str | None = None


class Stop(Command, tag="stop"):
    """Stop a generation, named by its own id or by the `id` of the command that started it; exactly one of them."""

    generation: ID | None = None
    id: ID | None = None


class Ack(Command, tag="ack"):
    """`received` is the number of events that this socket has received so far."""

    received: int


StartCommand = Send | Edit | Regenerate | Continue
"""The commands that start a generation."""

_decode = msgspec.json.Decoder(Watch | Send | Edit | Regenerate | Continue | Stop | Ack).decode
_FIELD = re.compile(r"[`$.]+(\w+)`")


def parse(text: str | bytes | None) -> Command:
    """Return a frame as a typed command. Raises Refusal."""
    if not isinstance(text, str):
        raise Refusal("malformed", _("Only text frames are accepted."))
    try:
        command: Command = _decode(text)
    except msgspec.ValidationError as error:
        raise _refusal_for(str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refusal("malformed", _("The frame is not valid JSON.")) from error
    if isinstance(command, Stop) and (command.generation is None) == (command.id is None):
        raise Refusal("malformed", _("A stop needs either a generation or the id of the command that started it."))
    return command


def _refusal_for(message: str) -> Refusal:
    if message.startswith("Invalid value") and "$.op" in message:
        return Refusal("unknown_op", _("Unknown command."))
    field = _FIELD.search(message)
    name = field.group(1) if field else ""
    if "missing required" in message:
        return Refusal("malformed", _("The field “%(name)s” is missing.") % {"name": name})
    if "unknown field" in message:
        return Refusal("malformed", _("Unknown field “%(name)s”.") % {"name": name})
    if name:
        return Refusal("malformed", _("The field “%(name)s” has the wrong type.") % {"name": name})
    return Refusal("malformed", _("A frame must be one JSON object."))


def id_and_op(text: str | bytes | None) -> tuple[str | None, str | None]:
    """Return (id, op) of a refused frame, each cut to 64 characters; None for what is missing or not a string."""
    try:
        frame = msgspec.json.decode(text or b"")
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None, None
    if not isinstance(frame, dict):
        return None, None
    return _short(frame.get("id")), _short(frame.get("op"))


def _short(value: Any) -> str | None:
    return value[:64] if isinstance(value, str) else None
