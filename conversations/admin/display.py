"""Formats times and messages for the admin."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy

from conversations.models import Generation, Message
from conversations.rendering import transcript_entries


def format_time(at: datetime | None) -> str:
    """A time to the second in the admin's time zone (`TIME_ZONE`); "" for None."""
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def with_time_zone(title: Any) -> Any:
    """The title of a column of times, with their time zone."""
    return format_lazy("{} ({})", title, settings.TIME_ZONE)


def message_html(message: Message, generation: Generation | None) -> SafeString:
    """The text and the note of a message, rendered as in the chat."""
    entry = transcript_entries.entry(message, generation)
    text = entry.html if entry.role == "assistant" else format_html("<pre>{}</pre>", entry.content)
    return format_html(
        '<div class="answer" data-status="{}"><div data-content>{}</div><p data-note>{}</p></div>',
        entry.status,
        text,
        entry.note,
    )
