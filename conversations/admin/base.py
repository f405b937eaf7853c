"""What the pages of the administration share: records are read-only, and text looks as it does in the chat."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations import fragments
from conversations.models import Generation, Message


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django takes no argument at run time
    """Staff with the view permission may look; nobody may add, change or delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def answer(message: Message, generation: Generation | None) -> SafeString:
    """The text by the page's own renderer, under the page's own sentence."""
    entry = fragments.entry(message, generation)
    text = entry.html if entry.role == "assistant" else format_html("<pre>{}</pre>", entry.content)
    return format_html(
        '<div class="answer" data-status="{}"><div data-content>{}</div><p data-note>{}</p></div>',
        entry.status,
        text,
        entry.note,
    )
