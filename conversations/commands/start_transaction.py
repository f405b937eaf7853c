"""Starts a generation: one transaction that writes the new messages and the generation that answers.

Runs on a database thread. Everything is loaded through the user, so an unknown id and somebody else's get the same
reply.
"""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction

from conversations.generation.stored_start import Started
from conversations.models import Conversation
from conversations.models.conversation import TitleSource, title_from_prompt
from conversations.protocol.commands import Edit, Send, StartCommand
from conversations.protocol.refusal import busy, not_found
from conversations.providers.catalog.offered_model import allowed
from conversations.providers.catalog.preselection import default
from conversations.storage import start_sql

from .conversation_settings_form import check_settings
from .model_choice import choose_model, fallback_model, remember_choice
from .planned_messages import Requester, draft
from .prompt_limits import check_prompt, check_running_answers


@dataclass(frozen=True, slots=True)
class StillRunning:
    """The conversation has a running generation, which must end first."""

    generation: uuid.UUID


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same command was carried out before. Its messages follow `after`."""

    conversation: uuid.UUID
    after: uuid.UUID | None


def start_generation(requester: Requester, command: StartCommand) -> Started | StillRunning | Repeated:
    """Carry out a command that asks for an answer, unless something is in the way.

    Raises Refusal, `context_window.Uncounted` (some texts have to be counted first), and database errors. Writes
    nothing if it raises or returns `StillRunning` or `Repeated`.
    """
    if isinstance(command, Send | Edit):
        check_prompt(command.content)
    if isinstance(command, Send) and (command.system_prompt or command.temperature is not None):
        check_settings(command)
    try:
        with transaction.atomic():
            return _start(requester, command)
    except IntegrityError as error:
        # A conversation has one streaming generation, and a process that does not hold our lock was faster.
        raise busy() from error


def _start(requester: Requester, command: StartCommand) -> Started | StillRunning | Repeated:
    """Everything that can refuse comes before `StillRunning`, because the caller then ends the running answer."""
    user = requester.user
    with start_sql.pipelined():
        start_sql.lock(user.pk)
        conversation, facts = _find_or_create(user, command)
    if facts.message is not None:
        return Repeated(conversation.pk, facts.message_parent)
    check_running_answers(facts.streaming_count - (facts.streaming is not None))
    offered = allowed(requester.offered, user)
    fallback = fallback_model(conversation, command, facts, offered)
    model = choose_model(command.model, fallback, offered)
    new = draft(requester, model, conversation, command)
    if facts.streaming is not None:
        return StillRunning(facts.streaming)
    conversation.model = model.key
    if isinstance(command, Send) and command.model:
        standard = default(offered)
        remember_choice(user, model, facts, fallback or (standard.key if standard is not None else ""))
    older = start_sql.write(new.question, new.answer, new.generation, asked=new.asked)
    when_leaving = settings.CHAT_WHEN_LEAVING or facts.when_leaving
    return Started(new.generation, conversation, new.messages, new.after, new.turns, model, older, when_leaving)


def _find_or_create(user: AbstractBaseUser, command: StartCommand) -> tuple[Conversation, start_sql.Facts]:
    """The conversation that the command belongs to, locked, or a new one; and what is known of it. Raises Refusal."""
    visible = Conversation.objects.visible_to(user)
    if isinstance(command, Send) and command.conversation is None:
        new = Conversation(
            owner_id=user.pk,
            client_id=command.id,
            title=title_from_prompt(command.content),
            title_source=TitleSource.PROMPT,
            system_prompt=command.system_prompt or "",
            temperature=command.temperature,
        )
        if facts := start_sql.new_conversation(new, command.id):
            return new, facts
        found = visible.select_for_update().filter(client_id=command.id).first()
    elif isinstance(command, Send):
        found = visible.select_for_update().filter(pk=command.conversation or uuid.UUID(int=0)).first()
    else:
        found = visible.select_for_update(of=("self",)).filter(messages__pk=command.message).first()
    if found is None:
        raise not_found()
    return found, start_sql.facts(found.pk, user.pk, command.id)
