"""The state of a conversation, compared with what a page shows. Synchronous; runs on a database thread."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser

from conversations.cluster import presence
from conversations.generation.stored_start import Started
from conversations.models import Conversation, Generation
from conversations.protocol import events
from conversations.protocol.commands import Watch
from conversations.protocol.refusal import not_found
from conversations.rendering import fragments

from . import versions


@dataclass(frozen=True, slots=True)
class State:
    """The state of a conversation. `generation`: the running one, which writes `message` in the process `owner`.
    `transcript`: the frame that brings the page up to date. `temporary_head`: the page shows another branch than the
    stored one."""

    conversation: uuid.UUID
    generation: uuid.UUID | None = None
    message: uuid.UUID | None = None
    transcript: bytes | None = None
    owner: uuid.UUID | None = None
    temporary_head: bool = False


def for_page(user: AbstractBaseUser, command: Watch, wanted: Callable[[], bool] = lambda: True) -> State:
    """Return the state for a page that sent `watch`, with a transcript if the page is out of date. Raises Refusal.

    `wanted` is called on this thread just before rendering; if it returns False, nothing is rendered.
    """
    conversation = _conversation(user, command.conversation or uuid.UUID(int=0))
    running = conversation.generations.streaming().first()
    if running is not None and command.page:
        presence.page_connected(running.pk, command.page[:60])
    versions.show_branch(conversation, command.branch)
    if conversation.temporary_head:
        running = None
    head = conversation.head
    transcript = None
    if wanted() and head is not None and (head.pk != command.head or head.status != command.status):
        transcript = _transcript(conversation, command.head, command.status, running, None)
    return _state(conversation, running, transcript)


def after_message(
    user: AbstractBaseUser, conversation: uuid.UUID, after: uuid.UUID | None, command: uuid.UUID | None
) -> State:
    """Return the state, with the messages after `after`, for pages that show everything before. Raises Refusal."""
    found = _conversation(user, conversation)
    running = found.generations.streaming().first()
    return _state(found, running, _transcript(found, after, None, running, command))


def after_start(begun: Started, command: uuid.UUID, so_far: str) -> State:
    """Return the state right after a command started a generation. Reads nothing, so it may run on any thread.
    `so_far`: the HTML of the answer."""
    conversation, generation = begun.conversation, begun.generation
    html = fragments.begun_messages(begun.messages, generation, begun.older, so_far)
    transcript = _frame(conversation, begun.after, html, begun.answer.pk, generation.pk, command)
    return State(conversation.pk, generation.pk, begun.answer.pk, transcript, generation.owner_id)


def _conversation(user: AbstractBaseUser, pk: uuid.UUID) -> Conversation:
    found = Conversation.objects.visible_to(user).select_related("head").filter(pk=pk).first()
    if found is None:
        raise not_found()
    return found


def _state(conversation: Conversation, running: Generation | None, transcript: bytes | None) -> State:
    if running is None:
        return State(conversation.pk, transcript=transcript, temporary_head=conversation.temporary_head)
    return State(conversation.pk, running.pk, running.message_id, transcript, running.owner_id)


def _transcript(
    conversation: Conversation,
    shown: uuid.UUID | None,
    status: str | None,
    running: Generation | None,
    command: uuid.UUID | None,
) -> bytes:
    after, html = fragments.transcript_after(conversation, shown, status)
    return _frame(conversation, after, html, conversation.head_id, running.pk if running else None, command)


def _frame(
    conversation: Conversation,
    after: uuid.UUID | None,
    html: str,
    head: uuid.UUID | None,
    generation: uuid.UUID | None,
    command: uuid.UUID | None,
) -> bytes:
    return events.transcript(
        conversation=conversation.pk,
        after=after,
        html=html,
        head=head,
        generation=generation,
        id=command,
        url=conversation.get_absolute_url(),
        title=conversation.title,
    )
