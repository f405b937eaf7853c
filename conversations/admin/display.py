"""How the admin shows times and messages."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy

from conversations.models import Generation, Message
from conversations.rendering import fragments


def format_time(at: datetime | None) -> str:
    """A time to the second, in the zone of the administration (`TIME_ZONE`)."""
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def with_time_zone(title: Any) -> Any:
    """Title of a column of times, which names their zone."""
    return format_lazy("{} ({})", title, settings.TIME_ZONE)


def message_html(message: Message, generation: Generation | None) -> SafeString:
    """The text by the page's own renderer, under the page's own sentence."""
    entry = fragments.entry(message, generation)
    text = entry.html if entry.role == "assistant" else format_html("<pre>{}</pre>", entry.content)
    return format_html(
        '<div class="answer" data-status="{}"><div data-content>{}</div><p data-note>{}</p></div>',
        entry.status,
        text,
        entry.note,
    )
