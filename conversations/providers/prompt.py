"""Builds the prompt: system prompts, the branch, and the request to continue an answer."""

from collections.abc import Sequence

from conversations.models import ContinuesBy, Conversation, Message
from conversations.providers.catalog.offered_model import Model
from conversations.rules.status import Status

from .prompt_turn import Turn

STOPPED_MARK = "[The user stopped this answer here.]"
CUT_OFF_MARK = "[This answer was cut off here.]"
CONTINUE_INSTRUCTION = (
    "Your last answer was cut off. Go on exactly where it stopped, in the middle of a word if need be. "
    "Repeat nothing and make no remark about the interruption."
)


def turns(
    model: Model | None, conversation: Conversation, branch: Sequence[Message], partial: Message | None = None
) -> list[Turn]:
    """The prompt for `branch`: system prompts, messages and, to continue the answer `partial`, its text so far. `model`
    is None if it is no longer on offer."""
    own = model.system_prompt if model is not None else ""
    system = "\n\n".join(prompt for prompt in (own, conversation.system_prompt) if prompt.strip())
    first = [{"role": "system", "content": system}] if system else []
    return [*first, *map(_turn, branch), *(continuation(model, partial) if partial is not None else ())]


def continuation(model: Model | None, partial: Message) -> list[Turn]:
    """The end of the prompt that makes a model continue `partial`: its text and, unless the model continues a partial
    message by itself, the request to do so."""
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
