"""The text of a message, and the sentence that explains how its generation ended."""

from conversations.models import Generation, Message, Piece
from conversations.providers.catalog.model_catalog import catalog
from conversations.rules import end_sentences
from conversations.rules.status import Status


def text_so_far(message: Message, generation: Generation | None) -> str:
    """The text of a message. For a streaming one, includes the pieces that the journal has saved (one query)."""
    if generation is None or message.status != Status.STREAMING:
        return message.content
    pieces = Piece.objects.filter(generation_id=generation.pk).order_by("start").values_list("text", flat=True)
    return message.content + "".join(pieces)


def end_note(generation: Generation, content: str) -> str:
    """Why the generation ended with the text `content`, in the current language; "" if there is nothing to explain."""
    return end_sentences.sentence(
        generation.status,
        generation.end_reason,
        written=bool(content),
        retry_after=generation.retry_after,
        code=generation.error_code,
        model=catalog.label(generation.model),
        stopped_offline=generation.stopped_offline,
    )
