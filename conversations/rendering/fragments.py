"""The HTML of messages that pages and sockets share, so that both show the same."""

import uuid
from collections.abc import Iterable, Sequence

from django.utils import translation

from conversations.models import Conversation, Generation, Message
from conversations.rules import end_sentences

from . import jinja, transcript_entries, transcript_pages
from .transcript_entries import NO_HTML, Entry
from .transcript_pages import TranscriptPage


def message_html(entry: Entry) -> str:
    """The HTML of one message."""
    return jinja.render("message.jinja", {"entry": entry, "at": None})


def transcript_page_html(conversation: Conversation, page: TranscriptPage) -> str:
    """The HTML of the messages of a page, with links to earlier and later ones."""
    return jinja.render("transcript_page.jinja", transcript_page_context(conversation, page))


def transcript_page_context(conversation: Conversation, page: TranscriptPage) -> dict[str, object]:
    """The context of `transcript_page.jinja`."""
    return {
        "conversation": conversation,
        "entries": transcript_entries.entries(conversation, page.messages),
        "older": page.older,
        "newer": page.newer,
        "at": None,
    }


def transcript_after(
    conversation: Conversation, shown: uuid.UUID | None, status: str | None = None
) -> tuple[uuid.UUID | None, str]:
    """The messages that a web page lacks whose last message is `shown`, with this status if it is known. Returns the
    message that they follow, and their HTML; (None, the end of the branch) to replace everything on a page too far
    behind."""
    page = transcript_pages.latest(conversation)
    indexes = {message.pk: index for index, message in enumerate(page.messages)}
    if shown is None or shown not in indexes:
        return None, transcript_page_html(conversation, page)
    index = indexes[shown]
    last = page.messages[index]
    changed = status is not None and status != last.status
    missing = page.messages[index + (not changed) :]
    html = "".join(message_html(entry) for entry in transcript_entries.entries(conversation, missing))
    return (last.parent_id if changed else shown), html


def begun_messages(
    messages: Sequence[Message], generation: Generation, older_versions: Sequence[uuid.UUID], html_so_far: str
) -> str:
    """The HTML of the messages with which a generation begins, the last of them its answer. No query, and no Markdown
    is rendered.

    `older_versions`: those of the first message, oldest first. `html_so_far`: the HTML of the answer to continue.
    """
    answer = messages[-1]
    return "".join(
        message_html(
            transcript_entries.entry(
                message,
                generation if message is answer else None,
                [*(older_versions if index == 0 else ()), message.pk],
                content=message.content,
                html=html_so_far if message is answer else None,
            )
        )
        for index, message in enumerate(messages)
    )


def end_parts(
    generation: Generation, versions: Sequence[uuid.UUID], languages: Iterable[str]
) -> dict[str, dict[str, str]]:
    """The parts of an `end` frame that people read, by language: note, footer, announcement. No query. `versions`:
    those of the answer, oldest first."""
    return {language: _end_parts(generation.message, generation, versions, language) for language in languages}


def stored_end_parts(generation_id: uuid.UUID, languages: Iterable[str]) -> dict[str, dict[str, str]]:
    """Like `end_parts`, for a generation that has to be loaded first. Raises Generation.DoesNotExist."""
    generation = Generation.objects.select_related("message", "conversation").get(pk=generation_id)
    message = generation.message
    versions = transcript_entries.versions(generation.conversation, [message])[message.parent_id, message.role]
    return end_parts(generation, versions, languages)


def _end_parts(
    message: Message, generation: Generation, versions: Sequence[uuid.UUID], language: str
) -> dict[str, str]:
    with translation.override(language):
        entry = transcript_entries.entry(message, generation, versions, html=NO_HTML)
        return {
            "note": jinja.render("note.jinja", {"entry": entry}),
            "footer": jinja.render("footer.jinja", {"entry": entry}),
            "announce": end_sentences.announcement(entry.status, entry.reason, entry.words, entry.note),
        }
