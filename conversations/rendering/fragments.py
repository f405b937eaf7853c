"""The HTML pieces that the socket and the pages share, so that both show the same."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe

from conversations.models import Conversation, Generation, Message, Piece, Role
from conversations.providers.catalog.model_catalog import catalog
from conversations.rules import sentences
from conversations.rules import status as statuses
from conversations.rules.status import Status

from . import blocks, jinja, transcript_pages, usage, worker
from .cache import rendered
from .transcript_pages import Window

NOTHING = SafeString("")

LONG = 1000
LONG_LINES = 12
"""Characters, and lines, from which on a prompt is folded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as `message.html` takes it. Without an id: nothing but its shape."""

    role: str
    status: str
    id: uuid.UUID | None = None
    content: str = ""
    html: SafeString = NOTHING
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
        """Seconds since it was asked for."""
        return int((timezone.now() - self.moment).total_seconds()) if self.moment else 0

    @property
    def long(self) -> bool:
        """Whether the page folds this prompt. As `isLong` in static/js/chat/optimistic.js."""
        return self.role == Role.USER and (len(self.content) > LONG or self.content.count("\n") >= LONG_LINES)

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


def entries(conversation: Conversation, messages: Sequence[Message]) -> list[Entry]:
    """The messages as a page shows them, in the order given. Two queries, however many they are."""
    generations = {
        generation.message_id: generation
        for generation in Generation.objects.filter(message_id__in=[message.pk for message in messages])
    }
    versions = _versions(conversation, messages)
    return [
        entry(message, generations.get(message.pk), versions[message.parent_id, message.role]) for message in messages
    ]


BLANKS = {"prompt": Entry(Role.USER, Status.COMPLETE), "answer": Entry(Role.ASSISTANT, Status.STREAMING)}
"""What a page shows of a message before the server has answered."""

Versions = dict[tuple[uuid.UUID | None, str], list[uuid.UUID]]


def _versions(conversation: Conversation, messages: Iterable[Message]) -> Versions:
    """Ids of all versions of the messages, oldest first, in one query; a second one for those of the first message."""
    versions: Versions = {}
    parents = {message.parent_id for message in messages}
    siblings = Message.objects.filter(conversation=conversation).order_by("id").values_list("parent_id", "role", "pk")
    found = list(siblings.filter(parent__in=parents - {None}))
    if None in parents:
        found += siblings.filter(parent=None)
    for parent, role, pk in found:
        versions.setdefault((parent, role), []).append(pk)
    return versions


def entry(
    message: Message,
    generation: Generation | None,
    versions: Sequence[uuid.UUID] = (),
    *,
    content: str | None = None,
    html: str | None = None,
) -> Entry:
    """One message; without `versions` as if it were the only one. `content` and `html` are given where they are known
    without asking the database, and rendering."""
    versions = versions or [message.pk]
    place = versions.index(message.pk)
    content = live_text(message, generation) if content is None else content
    return Entry(
        id=message.pk,
        role=message.role,
        status=message.status,
        content=content,
        html=_html(message, content) if html is None else mark_safe(html),  # noqa: S308  sanitised by markup.py
        parent_id=message.parent_id,
        moment=timezone.localtime(message.created_at),
        generation_id=generation.pk if generation else None,
        model=catalog.label(generation.model) if generation else "",
        reason=generation.end_reason if generation else "",
        note=note(generation, content) if generation else "",
        shortened=generation is not None and generation.turns_dropped > 0,
        usage=usage.of(generation) if generation and message.status != Status.STREAMING else "",
        number=place + 1,
        count=len(versions),
        previous_id=versions[place - 1] if place else None,
        next_id=versions[place + 1] if place + 1 < len(versions) else None,
    )


def live_text(message: Message, generation: Generation | None) -> str:
    """The text of a message; of a streaming one with the pieces that the journal has saved."""
    if generation is None or message.status != Status.STREAMING:
        return message.content
    saved = Piece.objects.filter(generation_id=generation.pk).order_by("start").values_list("text", flat=True)
    return message.content + "".join(saved)


def note(generation: Generation, content: str) -> str:
    return sentences.sentence(
        generation.status,
        generation.end_reason,
        written=bool(content),
        retry_after=generation.retry_after,
        code=generation.error_code,
        model=catalog.label(generation.model),
        stopped_offline=generation.stopped_offline,
    )


def _html(message: Message, content: str) -> SafeString:
    if message.role == Role.USER:
        return mark_safe(blocks.typed(content))  # noqa: S308  escaped there
    if message.status == Status.STREAMING:
        answer, _done = worker.growing(content, last=False)
        return mark_safe(answer.whole())  # noqa: S308  sanitised by markup.py
    return mark_safe(rendered.html(message.pk, content))  # noqa: S308  sanitised by markup.py


def transcript(
    conversation: Conversation, shown: uuid.UUID | None, status: str | None = None
) -> tuple[uuid.UUID | None, str]:
    """What a page lacks whose last message is `shown`, in the given status where that is known: (the message behind
    which it belongs, HTML). A page too far behind gets the end of the branch in place of everything (None)."""
    window = transcript_pages.latest(conversation)
    known = {message.pk: place for place, message in enumerate(window.messages)}
    if shown is None or shown not in known:
        return None, window_html(conversation, window)
    place = known[shown]
    last = window.messages[place]
    changed = status is not None and status != last.status
    html = "".join(message_html(each) for each in entries(conversation, window.messages[place + (not changed) :]))
    return (last.parent_id if changed else shown), html


def window_html(conversation: Conversation, window: Window) -> str:
    """The messages of a window with the ways to older and newer ones."""
    return jinja.render("window.jinja", window_context(conversation, window))


def window_context(conversation: Conversation, window: Window) -> dict[str, object]:
    return {
        "conversation": conversation,
        "entries": entries(conversation, window.messages),
        "older": window.older,
        "newer": window.newer,
        "at": None,
    }


def message_html(entry: Entry) -> str:
    return jinja.render("message.jinja", {"entry": entry, "at": None})


def started(messages: Sequence[Message], generation: Generation, older: Sequence[uuid.UUID], so_far: str) -> str:
    """HTML of the messages with which a generation begins, the last of them its own. `older`: versions beside the first
    of them, oldest first. `so_far`: HTML of the answer that is continued. No query, and nothing is rendered."""
    answer = messages[-1]
    return "".join(
        message_html(
            entry(
                message,
                generation if message is answer else None,
                [*(older if place == 0 else ()), message.pk],
                content=message.content,
                html=so_far if message is answer else None,
            )
        )
        for place, message in enumerate(messages)
    )


def stored_ending(generation_id: uuid.UUID, languages: Iterable[str]) -> dict[str, dict[str, str]]:
    """The same as `ending`, of a generation that another process ran. Raises Generation.DoesNotExist."""
    generation = Generation.objects.select_related("message", "conversation").get(pk=generation_id)
    message = generation.message
    versions = _versions(generation.conversation, [message])[message.parent_id, message.role]
    return ending(generation, versions, languages)


def ending(
    generation: Generation, versions: Sequence[uuid.UUID], languages: Iterable[str]
) -> dict[str, dict[str, str]]:
    """The parts of an `end` frame that are for people, by language. No query."""
    return {language: _parts(generation.message, generation, versions, language) for language in languages}


def _parts(message: Message, generation: Generation, versions: Sequence[uuid.UUID], language: str) -> dict[str, str]:
    with translation.override(language):
        ended = entry(message, generation, versions, html=NOTHING)
        return {
            "note": jinja.render("note.jinja", {"entry": ended}),
            "footer": jinja.render("footer.jinja", {"entry": ended}),
            "announce": sentences.announcement(ended.status, ended.reason, ended.words, ended.note),
        }
