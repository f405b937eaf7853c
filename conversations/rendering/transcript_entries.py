"""Messages as the transcript shows them: the entries that the partial `message.jinja` renders."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from conversations.models import Conversation, Generation, Message, Role
from conversations.providers.catalog.model_catalog import catalog
from conversations.rules import status as statuses
from conversations.rules.status import Status

from . import message_text, person_message, worker
from .cache import html_cache
from .usage_text import answer_usage

NO_HTML = SafeString("")

FOLDED_LENGTH = 1000
FOLDED_LINES = 12
"""A prompt with more characters, or more lines, is folded."""

Versions = dict[tuple[uuid.UUID | None, str], list[uuid.UUID]]
"""IDs of the versions of messages, oldest first, by (parent, role)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. Without an ID: a blank, which has only the shape of a message."""

    role: str
    status: str
    id: uuid.UUID | None = None
    content: str = ""
    html: SafeString = NO_HTML
    parent_id: uuid.UUID | None = None
    moment: datetime | None = None
    generation_id: uuid.UUID | None = None
    model: str = ""
    reason: str = ""
    note: str = ""
    usage: str = ""
    shortened: bool = False
    number: int = 1
    count: int = 1
    previous_id: uuid.UUID | None = None
    next_id: uuid.UUID | None = None

    @property
    def waited(self) -> int:
        """Seconds since the answer was requested."""
        return int((timezone.now() - self.moment).total_seconds()) if self.moment else 0

    @property
    def long(self) -> bool:
        """Whether the page folds this prompt. The same as `isLong` in static/js/chat/optimistic-messages.js."""
        return self.role == Role.USER and (
            len(self.content) > FOLDED_LENGTH or self.content.count("\n") >= FOLDED_LINES
        )

    @property
    def words(self) -> int:
        return len(self.content.split())

    @property
    def ended(self) -> bool:
        return self.role == Role.ASSISTANT and self.status != Status.STREAMING

    @property
    def can_edit(self) -> bool:
        return self.role == Role.USER

    @property
    def can_continue(self) -> bool:
        return self.ended and statuses.can_continue(self.status, self.reason, written=bool(self.content))

    @property
    def can_try_again(self) -> bool:
        return self.ended and (self.status == Status.ERROR or not self.content)

    @property
    def can_regenerate(self) -> bool:
        return self.ended and not self.can_try_again


BLANKS = {"prompt": Entry(Role.USER, Status.COMPLETE), "answer": Entry(Role.ASSISTANT, Status.STREAMING)}
"""The empty messages that a page shows until the server has answered."""


def entries(conversation: Conversation, messages: Sequence[Message]) -> list[Entry]:
    """The messages in the given order. Takes two queries for any number of messages, and a third if the first message
    of the conversation is among them."""
    generations = {
        generation.message_id: generation
        for generation in Generation.objects.filter(message_id__in=[message.pk for message in messages])
    }
    siblings = versions(conversation, messages)
    return [
        entry(message, generations.get(message.pk), siblings[message.parent_id, message.role]) for message in messages
    ]


def versions(conversation: Conversation, messages: Iterable[Message]) -> Versions:
    """All versions of the messages, in one query; a second one if the first message of the conversation is among
    them."""
    found: Versions = {}
    parents = {message.parent_id for message in messages}
    siblings = Message.objects.filter(conversation=conversation).order_by("id").values_list("parent_id", "role", "pk")
    rows = list(siblings.filter(parent__in=parents - {None}))
    if None in parents:
        rows += siblings.filter(parent=None)
    for parent, role, pk in rows:
        found.setdefault((parent, role), []).append(pk)
    return found


def entry(
    message: Message,
    generation: Generation | None,
    versions: Sequence[uuid.UUID] = (),
    *,
    content: str | None = None,
    html: str | None = None,
) -> Entry:
    """One message. `versions`: the IDs of all its versions, oldest first; without them it counts as the only one.
    `content` and `html` save a query and the rendering where they are known; `html` has to be safe."""
    versions = versions or [message.pk]
    index = versions.index(message.pk)
    content = message_text.text_so_far(message, generation) if content is None else content
    return Entry(
        id=message.pk,
        role=message.role,
        status=message.status,
        content=content,
        html=_html(message, content) if html is None else mark_safe(html),  # noqa: S308  sanitised when rendered
        parent_id=message.parent_id,
        moment=timezone.localtime(message.created_at),
        generation_id=generation.pk if generation else None,
        model=catalog.label(generation.model) if generation else "",
        reason=generation.end_reason if generation else "",
        note=message_text.end_note(generation, content) if generation else "",
        shortened=generation is not None and generation.turns_dropped > 0,
        usage=answer_usage(generation) if generation and message.status != Status.STREAMING else "",
        number=index + 1,
        count=len(versions),
        previous_id=versions[index - 1] if index else None,
        next_id=versions[index + 1] if index + 1 < len(versions) else None,
    )


def _html(message: Message, content: str) -> SafeString:
    if message.role == Role.USER:
        return mark_safe(person_message.html(content))  # noqa: S308  escaped there
    if message.status == Status.STREAMING:
        answer, _succeeded = worker.render(content, last=False)
        return mark_safe(answer.whole())  # noqa: S308  sanitised when rendered
    return mark_safe(html_cache.get_or_render(message.pk, content))  # noqa: S308  sanitised when rendered
