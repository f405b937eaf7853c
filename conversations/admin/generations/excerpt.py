"""The part of a conversation shown around one answer."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from conversations.admin.display import message_html
from conversations.models import Generation, Message

MAX_BEFORE = 6
MAX_AFTER = 4
"""Messages shown before and after the answer."""

ANCESTORS = """
WITH RECURSIVE above AS (
    SELECT m.*, 0 AS depth FROM conversations_message m WHERE m.id = %s
    UNION ALL
    SELECT m.*, a.depth + 1 FROM conversations_message m JOIN above a ON m.id = a.parent_id WHERE a.depth < %s
)
SELECT * FROM above ORDER BY depth DESC
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message as shown. `here`: whether it is the answer that the page is about."""

    message: Message
    html: SafeString
    here: bool


def turns(message: Message) -> tuple[list[Turn], bool, bool]:
    """(turns around this message, oldest first; whether there are earlier ones; whether there are later ones)."""
    above = list(Message.objects.raw(ANCESTORS, [message.pk, MAX_BEFORE]))
    below = _below(message)
    shown = [*above, *below[:MAX_AFTER]]
    generations = Generation.objects.in_bulk([each.pk for each in shown], field_name="message_id")
    found = [Turn(each, message_html(each, generations.get(each.pk)), each.pk == message.pk) for each in shown]
    return found, bool(above) and above[0].parent_id is not None, len(below) > MAX_AFTER


def _below(message: Message) -> list[Message]:
    """The newest branch after the message: up to `MAX_AFTER` + 1 messages."""
    found: list[Message] = []
    while len(found) <= MAX_AFTER:
        following = (found[-1] if found else message).replies.order_by("-id").first()
        if following is None:
            break
        found.append(following)
    return found
