"""A conversation as a file: the branch on screen as Markdown, or all of its messages as JSON.

Written piece by piece as it is read from the database, so a long one takes no more memory than a short one.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Conversation, Generation, Message, Role
from conversations.rendering import message_text
from conversations.rules.status import Status
from conversations.storage.db_threads import in_database
from conversations.storage.request_connections import give_back

BATCH = 10
"""Messages that are read at once: each may be as long as an answer gets."""

NAME_LENGTH = 80
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)", re.MULTILINE)
NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

Part = tuple[Message, Generation | None, str]
"""A message, the run that wrote it, and its text so far."""


class Record(msgspec.Struct):
    """A message as JSON has it. `reason`, `note`: why an answer ended, as the page says it."""

    id: uuid.UUID
    parent: uuid.UUID | None
    role: str
    status: str
    reason: str
    note: str
    model: str
    created_at: datetime
    on_screen: bool
    content: str


@never_cache
@login_required
@require_safe
async def markdown(request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    found = await _found(request, pk)
    return _file(found, "md", "text/markdown; charset=utf-8", _markdown(found))


@never_cache
@login_required
@require_safe
async def json(request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    found = await _found(request, pk)
    return _file(found, "json", "application/json", _json(found))


async def _found(request: HttpRequest, pk: uuid.UUID) -> Conversation:
    """Raises Http404. A slow download then holds no connection."""
    user = await request.auser()
    await give_back()
    return await in_database(_conversation, user, pk)


def _conversation(user: AbstractBaseUser | AnonymousUser, pk: uuid.UUID) -> Conversation:
    found = Conversation.objects.visible_to(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _file(conversation: Conversation, ending: str, kind: str, parts: AsyncIterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(parts, content_type=kind)
    name = file_name(conversation.title, ending)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return response


def file_name(title: str, ending: str) -> str:
    """A name that every file system takes, and that shows nobody a wrong ending."""
    words = " ".join(NOT_IN_NAMES.sub(" ", title).split())[:NAME_LENGTH].strip(" .")
    return f"{words or 'conversation'}.{ending}"


async def _markdown(conversation: Conversation) -> AsyncIterator[str]:
    yield f"# {' '.join(conversation.title.split())}\n"
    branch = await in_database(Message.objects.branch_ids, conversation.head_id)
    for begin in range(0, len(branch), BATCH):
        for part in await in_database(_parts, branch[begin : begin + BATCH]):
            yield await asyncio.to_thread(_section, *part)  # looks at each line that may be a fence


def _section(message: Message, generation: Generation | None, text: str) -> str:
    who = _("You") if message.role == Role.USER else _("Answer")
    if generation is not None:
        who = f"{who} ({generation.model})"
    mark = _mark(message, generation, text)
    return f"\n## {who}\n\n{_closed(text.strip())}\n" + (f"\n> {mark}\n" if mark else "")


def _mark(message: Message, generation: Generation | None, text: str) -> str:
    """What there is to say of an answer that is not simply complete."""
    if generation is None:
        return ""
    if message.status == Status.STREAMING:
        note = _("This answer was still being written.")
        return f"**streaming**: {note}"
    note = message_text.end_note(generation, text)
    return f"**{message.status}** ({generation.end_reason}): {note}" if note else ""


def _closed(text: str) -> str:
    """With a fence behind a code block that was cut off, so that what follows is not taken for code."""
    fence = ""
    for mark, behind in _FENCE.findall(text):
        if not fence:
            fence = mark
        elif mark.startswith(fence) and not behind.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def whole(conversation: Conversation) -> AsyncIterator[str]:
    """All of a conversation as JSON, piece by piece, deleted ones too."""
    return _json(conversation)


async def _json(conversation: Conversation) -> AsyncIterator[str]:
    head = {
        "id": conversation.pk,
        "title": conversation.title,
        "created_at": conversation.created_at,
        "exported_at": timezone.now(),
        "head": conversation.head_id,
    }
    shown = set(await in_database(Message.objects.branch_ids, conversation.head_id))
    yield _encode(head).removesuffix("}") + ',"messages":['
    separator, last = "\n", None
    while parts := await in_database(_parts_behind, conversation, last):
        for message, generation, text in parts:
            yield separator + _encode(_record(message, generation, text, on_screen=message.pk in shown))
            separator, last = ",\n", message.pk
    yield "\n]}\n"


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _record(message: Message, generation: Generation | None, text: str, *, on_screen: bool) -> Record:
    return Record(
        id=message.pk,
        parent=message.parent_id,
        role=message.role,
        status=message.status,
        reason=generation.end_reason if generation else "",
        note=message_text.end_note(generation, text) if generation else "",
        model=generation.model if generation else "",
        created_at=message.created_at,
        on_screen=on_screen,
        content=text,
    )


def _parts(ids: list[uuid.UUID]) -> list[Part]:
    """These messages, in this order."""
    found = Message.objects.select_related("generation").in_bulk(ids)
    return [_part(found[pk]) for pk in ids if pk in found]


def _parts_behind(conversation: Conversation, last: uuid.UUID | None) -> list[Part]:
    """The next messages of the conversation in the order in which they were begun."""
    rows = conversation.messages.select_related("generation").order_by("id")
    return [_part(row) for row in (rows.filter(pk__gt=last) if last else rows)[:BATCH]]


def _part(message: Message) -> Part:
    generation: Generation | None = getattr(message, "generation", None)
    return message, generation, message_text.text_so_far(message, generation)
