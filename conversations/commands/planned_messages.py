"""Plans what a command writes: the new messages, and the generation that answers."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _

from conversations.models import Conversation, Generation, Kind, Message, Role
from conversations.protocol.commands import Continue, Edit, Regenerate, Send, StartCommand
from conversations.protocol.refusal import Refusal, not_found, not_possible
from conversations.providers.catalog.offered_model import Model
from conversations.providers.prompt_turn import Turn
from conversations.rules.status import Status, can_continue

from .prompt_limits import fit_context


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, the process that will run the generation, and the models on offer."""

    user: AbstractBaseUser
    process: uuid.UUID
    offered: Sequence[Model]


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsaved messages and generation. `asked`: the question is new too. `turns`: the prompt for the model."""

    question: Message
    answer: Message
    generation: Generation
    turns: list[Turn]
    asked: bool

    @property
    def messages(self) -> list[Message]:
        """The new messages, in order."""
        return [self.question, self.answer] if self.asked else [self.answer]

    @property
    def after(self) -> uuid.UUID | None:
        """The message that the first new one follows."""
        return self.messages[0].parent_id


def draft(requester: Requester, model: Model, conversation: Conversation, command: StartCommand) -> Draft:
    """Build what this command writes. Reads the conversation and writes nothing. Raises Refusal,
    `context_window.Uncounted`."""
    match command:
        case Send():
            return _answer_prompt(requester, model, conversation, _parent(conversation, command.parent), command)
        case Edit():
            parent = _message(conversation, command.message, Role.USER).parent_id
            return _answer_prompt(requester, model, conversation, parent, command)
        case Regenerate() | Continue():
            return _answer_again(requester, model, conversation, command)


def _answer_prompt(
    requester: Requester, model: Model, conversation: Conversation, parent: uuid.UUID | None, command: Send | Edit
) -> Draft:
    """A new prompt after `parent`, and its answer."""
    question = Message(
        conversation=conversation, parent_id=parent, client_id=command.id, role=Role.USER, content=command.content
    )
    answer = Message(conversation=conversation, parent=question, role=Role.ASSISTANT, status=Status.STREAMING)
    generation = _generation(requester, model, answer, Kind.REPLY)
    branch = [*Message.objects.branch(parent), question]
    sent, generation.turns_dropped = fit_context(model, conversation, branch)
    return Draft(question, answer, generation, sent, asked=True)


def _answer_again(
    requester: Requester, model: Model, conversation: Conversation, command: Regenerate | Continue
) -> Draft:
    """Another version of an answer: from scratch, or beginning with its text."""
    old = _message(conversation, command.message, Role.ASSISTANT)
    continues = _continues(command, old)
    if old.parent is None or (continues and not _can_continue(old)):
        raise Refusal("not_possible", _("This answer cannot be continued."))
    answer = Message(
        conversation=conversation,
        parent=old.parent,
        client_id=command.id,
        role=Role.ASSISTANT,
        status=Status.STREAMING,
        content=old.content if continues else "",
    )
    generation = _generation(requester, model, answer, Kind.CONTINUE if continues else Kind.REGENERATE)
    generation.continued_from = old if continues else None
    branch = Message.objects.branch(old.parent_id)
    sent, generation.turns_dropped = fit_context(model, conversation, branch, generation.continued_from)
    return Draft(old.parent, answer, generation, sent, asked=False)


def _generation(requester: Requester, model: Model, answer: Message, kind: Kind) -> Generation:
    return Generation(
        conversation=answer.conversation,
        message=answer,
        requested_by_id=requester.user.pk,
        kind=kind,
        endpoint=str(model.endpoint),
        model=model.key,
        price_in=model.price_in,
        price_out=model.price_out,
        currency=model.currency if model.price_in is not None or model.price_out is not None else "",
        owner_id=requester.process,
    )


def _message(conversation: Conversation, pk: uuid.UUID, role: Role) -> Message:
    message = conversation.messages.select_related("parent").get(pk=pk)
    if message.role != role:
        raise not_possible()
    return message


def _parent(conversation: Conversation, pk: uuid.UUID | None) -> uuid.UUID | None:
    """The answer that a new prompt follows: the last on the page (`pk`), else the head. Raises Refusal."""
    if pk is None or pk == conversation.head_id:
        return conversation.head_id
    parent = conversation.messages.filter(pk=pk).first()
    if parent is None:
        raise not_found()
    if parent.role != Role.ASSISTANT:
        raise not_possible()
    return parent.pk


def _can_continue(message: Message) -> bool:
    return can_continue(message.status, message.generation.end_reason, written=bool(message.content))


def _continues(command: Regenerate | Continue, old: Message) -> bool:
    """Whether the new version begins with the old text. Retrying a failed continuation continues again: starting over
    would throw away the text before it."""
    if isinstance(command, Continue):
        return True
    failed = old.status == Status.ERROR and old.generation.kind == Kind.CONTINUE
    return failed and _can_continue(old)
