"""What a model gets: the system prompts, the branch, and what asks it to continue."""

from collections.abc import Sequence

from conversations.models import ContinuesBy, Conversation, Message
from conversations.rules.status import Status

from .model_catalog import Model

STOPPED_MARK = "[The user stopped this answer here.]"
CUT_OFF_MARK = "[This answer was cut off here.]"
CONTINUE_INSTRUCTION = (
    "Your last answer was cut off. Go on exactly where it stopped, in the middle of a word if need be. "
    "Repeat nothing and make no remark about the interruption."
)

Turn = dict[str, str]


def turns(
    model: Model | None, conversation: Conversation, branch: Sequence[Message], partial: Message | None = None
) -> list[Turn]:
    """What a model gets (None: got, before it was offered no more): the system prompts, the branch, and of an answer
    that is to go on its text so far."""
    own = model.system_prompt if model is not None else ""
    system = "\n\n".join(prompt for prompt in (own, conversation.system_prompt) if prompt.strip())
    first = [{"role": "system", "content": system}] if system else []
    return [*first, *map(_turn, branch), *(_going_on(model, partial) if partial is not None else ())]


def _going_on(model: Model | None, partial: Message) -> list[Turn]:
    """What asks a model to continue: the text so far and, unless it completes a partial message itself, a request."""
    so_far = [{"role": "assistant", "content": partial.content}]
    if model is not None and model.continues_by == ContinuesBy.PREFILL:
        return so_far
    return [*so_far, {"role": "user", "content": CONTINUE_INSTRUCTION}]


def _turn(message: Message) -> Turn:
    if message.status == Status.COMPLETE and message.content:
        return {"role": message.role, "content": message.content}
    mark = STOPPED_MARK if message.status == Status.INTERRUPTED else CUT_OFF_MARK
    content = f"{message.content}\n\n{mark}" if message.content else mark
    return {"role": message.role, "content": content}
