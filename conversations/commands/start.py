"""What a command does to the history: new versions of messages, and the generation that is to write one.

Each function is one transaction and runs on a database thread. Everything is loaded through the user, so somebody
else's ids and unknown ones get the same answer.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.generation.started import Started
from conversations.models import Conversation, Generation, Kind, Message, Role
from conversations.models.conversation import TitleSource, title_from_prompt
from conversations.people import preferences
from conversations.protocol.commands import Continue, Edit, Regenerate, Send, StartCommand
from conversations.protocol.refusal import Refusal
from conversations.providers import context_window
from conversations.providers.model_catalog import Model, allowed, default
from conversations.providers.prompt import Turn, _going_on, turns
from conversations.rules.status import Status, can_continue
from conversations.storage import start_sql

from . import conversation_settings_form
from .refusals import not_found

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, and where: the process that is to run it, the models that are offered to anybody."""

    user: AbstractBaseUser
    process: uuid.UUID
    offered: Sequence[Model]


@dataclass(frozen=True, slots=True)
class StillRunning:
    """The conversation is being answered; that has to end first."""

    generation: uuid.UUID


@dataclass(frozen=True, slots=True)
class Repeated:
    """The command was carried out before."""

    conversation: uuid.UUID
    after: uuid.UUID | None


def start_generation(asker: Requester, command: StartCommand) -> Started | StillRunning | Repeated:
    """Carry out a command that asks for an answer. Raises Refusal, context.Uncounted; then nothing is changed."""
    if isinstance(command, Send | Edit):
        _check_prompt(command.content)
    if isinstance(command, Send) and (command.system_prompt or command.temperature is not None):
        conversation_settings_form.check_settings(command)
    try:
        with transaction.atomic():
            return _begin(asker, command)
    except IntegrityError as error:
        # The unique streaming generation of a conversation: somebody was quicker from outside of this lock.
        raise Refusal("busy", _("That did not go through. Please try again.")) from error


def _begin(asker: Requester, command: StartCommand) -> Started | StillRunning | Repeated:
    """Everything that can refuse comes before `Busy`, for which a running answer is ended."""
    with start_sql.together():
        start_sql.lock(asker.user.pk)
        conversation, facts = _conversation(asker.user, command)
    if facts.made is not None:
        return Repeated(conversation.pk, facts.made_parent)
    _check_allowance(facts.count - (facts.running is not None))
    offered = allowed(asker.offered, asker.user)
    usual = _usual_model(conversation, command, facts, offered)
    model = choose_model(command.model, usual, offered)
    draft = _draft(asker, model, conversation, command)
    if facts.running is not None:
        return StillRunning(facts.running)
    conversation.model = model.key
    if isinstance(command, Send) and command.model:
        _remember_choice(asker, model, facts, usual or _preselected(offered))
    older = start_sql.write(draft.question, draft.answer, draft.generation, asked=draft.asked)
    when_leaving = settings.CHAT_WHEN_LEAVING or facts.when_leaving
    return Started(draft.generation, conversation, draft.messages, draft.after, draft.turns, model, older, when_leaving)


def _usual_model(
    conversation: Conversation, command: StartCommand, facts: start_sql.Facts, offered: Sequence[Model]
) -> str:
    """The key of the model that answers where the command names none: the one that began what is to go on; else the
    conversation's; else the person's."""
    keys = {model.key for model in offered}
    if isinstance(command, Continue):
        began = conversation.generations.filter(message=command.message).values_list("model", flat=True).first()
        return began if began in keys else conversation.model
    return conversation.model or preferences.first_offered((facts.default_model, facts.last_model), keys)


def _preselected(offered: Sequence[Model]) -> str:
    usual = default(offered)
    return usual.key if usual is not None else ""


def _remember_choice(asker: Requester, model: Model, facts: start_sql.Facts, preselected: str) -> None:
    """What was preselected is no choice: it follows the administrator's default from then on."""
    if model.key not in (preselected, facts.last_model):
        preferences.remember_model(asker.user.pk, model.key)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a command is about to write. `asked`: the question is new, too."""

    question: Message
    answer: Message
    generation: Generation
    turns: list[Turn]
    asked: bool

    @property
    def messages(self) -> list[Message]:
        return [self.question, self.answer] if self.asked else [self.answer]

    @property
    def after(self) -> uuid.UUID | None:
        return self.messages[0].parent_id


def _draft(asker: Requester, model: Model, conversation: Conversation, command: StartCommand) -> _Draft:
    """Raises Refusal."""
    match command:
        case Send():
            return _reply(asker, model, conversation, _parent(conversation, command.parent), command)
        case Edit():
            parent = _message(conversation, command.message, Role.USER).parent_id
            return _reply(asker, model, conversation, parent, command)
        case Regenerate() | Continue():
            return _another_version(asker, model, conversation, command)


def _reply(
    asker: Requester, model: Model, conversation: Conversation, parent: uuid.UUID | None, command: Send | Edit
) -> _Draft:
    """An answer to a prompt that is new."""
    question = Message(
        conversation=conversation, parent_id=parent, client_id=command.id, role=Role.USER, content=command.content
    )
    answer = Message(conversation=conversation, parent=question, role=Role.ASSISTANT, status=Status.STREAMING)
    generation = _generation(asker, model, answer, Kind.REPLY)
    branch = [*Message.objects.branch(parent), question]
    sent, generation.turns_dropped = _fitting(model, conversation, branch)
    return _Draft(question, answer, generation, sent, asked=True)


def _another_version(
    asker: Requester, model: Model, conversation: Conversation, command: Regenerate | Continue
) -> _Draft:
    """A sibling of an answer: written anew, or begun with its text."""
    old = _message(conversation, command.message, Role.ASSISTANT)
    going_on = _goes_on(command, old)
    if old.parent is None or (going_on and not _can_continue(old)):
        raise Refusal("not_possible", _("This answer cannot be continued."))
    answer = Message(
        conversation=conversation,
        parent=old.parent,
        client_id=command.id,
        role=Role.ASSISTANT,
        status=Status.STREAMING,
        content=old.content if going_on else "",
    )
    generation = _generation(asker, model, answer, Kind.CONTINUE if going_on else Kind.REGENERATE)
    generation.continued_from = old if going_on else None
    branch = Message.objects.branch(old.parent_id)
    sent, generation.turns_dropped = _fitting(model, conversation, branch, generation.continued_from)
    return _Draft(old.parent, answer, generation, sent, asked=False)


def _fitting(
    model: Model, conversation: Conversation, branch: Sequence[Message], partial: Message | None = None
) -> tuple[list[Turn], int]:
    """What the model gets of it, and how many messages at the beginning had to be left out. Raises Refusal."""
    everything = turns(model, conversation, branch, partial)
    if model.context_window is None:
        return everything, 0
    behind = len(_going_on(model, partial)) if partial is not None else 0
    try:
        left_out = context_window.dropped(everything, len(everything) - 1 - behind, model.context_window)
    except context_window.TooLong as error:
        raise _too_long(model, error) from error
    first = len(everything) - behind - len(branch)
    return [*everything[:first], *everything[first + left_out :]], left_out


def _too_long(model: Model, error: context_window.TooLong) -> Refusal:
    return Refusal(
        "too_long",
        _(
            "That is too long for the model “%(name)s”: with its instructions it has about %(tokens)d tokens, and the "
            "model takes %(limit)d. Shorten it, or choose another model."
        )
        % {"name": model, "tokens": error.tokens, "limit": error.limit},
    )


def _generation(asker: Requester, model: Model, answer: Message, kind: Kind) -> Generation:
    return Generation(
        conversation=answer.conversation,
        message=answer,
        requested_by_id=asker.user.pk,
        kind=kind,
        endpoint=str(model.endpoint),
        model=model.key,
        price_in=model.price_in,
        price_out=model.price_out,
        currency=model.currency if model.price_in is not None or model.price_out is not None else "",
        owner_id=asker.process,
    )


def _check_prompt(content: str) -> None:
    if not any(character.isprintable() and not character.isspace() for character in content):
        raise Refusal("empty", _("Write something first."))
    if "\0" in content:
        raise Refusal("malformed", _("The message contains a character that cannot be stored."))
    if len(content) > settings.CHAT_MAX_PROMPT:
        raise Refusal(
            "too_long",
            _("That message is too long: it has %(length)d characters, the limit is %(limit)d.")
            % {"length": len(content), "limit": settings.CHAT_MAX_PROMPT},
        )


def _check_allowance(running: int) -> None:
    limit = settings.CHAT_MAX_CONCURRENT
    if running >= limit:
        raise Refusal(
            "too_many",
            ngettext(
                "%(limit)d of your answers is being written. Stop it or wait until it ends.",
                "%(limit)d of your answers are being written. Stop one or wait until one ends.",
                limit,
            )
            % {"limit": limit},
        )


def choose_model(wanted: str | None, usual: str, offered: Sequence[Model]) -> Model:
    """The model that is to answer: the one asked for, else the conversation's, else the default. Raises Refusal."""
    usual_one = default(offered)
    if usual_one is None:
        raise Refusal("no_model", _("No model is available right now: the provider could not be reached."))
    key = wanted or usual
    model = next((model for model in offered if model.key == key), None) if key else usual_one
    if model is None:
        raise Refusal(
            "model_not_offered",
            _("The model “%(name)s” is not available. Choose another one and send again.") % {"name": key[:80]},
        )
    if model.endpoint.missing:
        raise _no_key(model)
    return model


def _no_key(model: Model) -> Refusal:
    logger.warning("endpoint %s: the environment variable %s is not set", model.endpoint, model.endpoint.missing)
    return Refusal(
        "no_key",
        _(
            "The model “%(name)s” cannot be used: its key (%(variable)s) is missing on the server. "
            "Tell your administrator, or choose another model."
        )
        % {"name": model, "variable": model.endpoint.missing},
    )


def _conversation(user: AbstractBaseUser, command: StartCommand) -> tuple[Conversation, start_sql.Facts]:
    """The conversation in which something is asked, a new one if need be, and how it stands. Raises Refusal."""
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


def _message(conversation: Conversation, pk: uuid.UUID, role: Role) -> Message:
    message = conversation.messages.select_related("parent").get(pk=pk)
    if message.role != role:
        raise Refusal("not_possible", _("That is not possible with this message."))
    return message


def _parent(conversation: Conversation, pk: uuid.UUID | None) -> uuid.UUID | None:
    """The answer that a new prompt follows: the one the page shows last, else the head."""
    if pk is None or pk == conversation.head_id:
        return conversation.head_id
    parent = conversation.messages.filter(pk=pk).first()
    if parent is None:
        raise not_found()
    if parent.role != Role.ASSISTANT:
        raise Refusal("not_possible", _("That is not possible with this message."))
    return parent.pk


def _can_continue(message: Message) -> bool:
    return can_continue(message.status, message.generation.end_reason, written=bool(message.content))


def _goes_on(command: Regenerate | Continue, old: Message) -> bool:
    """Trying again what failed to go on goes on: beginning anew would throw away what was written before it."""
    if isinstance(command, Continue):
        return True
    failed = old.status == Status.ERROR and old.generation.kind == Kind.CONTINUE
    return failed and _can_continue(old)
