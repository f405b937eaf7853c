"""Searches a person's titles and messages. The newest hits come first.

There are two ways through the index, so that the time does not grow with the number of people or the length of their
history. A frequent word is soon found among the newest entries; a rare word has few entries in the index of words.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .request_type import User
from .search_query import Query, parse

PAGE_SIZE = 20

MAX_LENGTH = 500
"""Characters of a search."""

MAX_SCANNED = 1000
"""The newest entries that are scanned before the index of words is used."""

NO_CURSOR = uuid.UUID(int=2**128 - 1)
"""An ID that is higher than any other."""

# The owner is a range, because then only the index of owner and ID is in order. With an equation, the planner may walk
# through everybody's entries by the primary key, and somebody's last entries may be far away there.
AMONG_NEWEST = """
WITH newest AS MATERIALIZED (
    SELECT id, conversation_id, vector FROM conversations_searchentry
    WHERE owner_id BETWEEN %(owner)s AND %(owner)s AND id < %(after)s
    ORDER BY owner_id, id DESC LIMIT %(newest)s
)
SELECT e.id FROM newest e JOIN conversations_conversation c ON c.id = e.conversation_id
WHERE c.deleted_at IS NULL AND c.head_id IS NOT NULL AND e.vector @@ %(query)s::tsquery
ORDER BY e.id DESC LIMIT %(limit)s
"""

# Conversations one by one, by their key: the planner expects many more matches than there are, and may otherwise read
# everybody's conversations.
BY_WORDS = """
WITH matching AS MATERIALIZED (
    SELECT id, conversation_id, owner_id FROM conversations_searchentry WHERE vector @@ %(query)s::tsquery
)
SELECT e.id FROM (
    SELECT id, conversation_id FROM matching WHERE owner_id = %(owner)s AND id < %(after)s ORDER BY id DESC OFFSET 0
) e CROSS JOIN LATERAL (
    SELECT FROM conversations_conversation c
    WHERE c.id = e.conversation_id AND c.deleted_at IS NULL AND c.head_id IS NOT NULL OFFSET 0
) c
ORDER BY e.id DESC LIMIT %(limit)s
"""

# Only the text around the first word is passed on: ts_headline reads all of what it gets.
SHOW = """
SELECT e.id, e.is_title, c.id, c.title, c.archived_at IS NOT NULL, COALESCE(m.role, ''),
       COALESCE(m.created_at, c.created_at),
       ts_headline('simple', translate(CASE WHEN e.is_title THEN c.title ELSE substring(
           m.content FROM greatest(1, strpos(lower(m.content), %(word)s) - 150) FOR 1000) END, E'\\x02\\x03', ''),
           %(query)s::tsquery, CASE WHEN e.is_title THEN 'HighlightAll=false, MaxWords=60, MinWords=59, '
           ELSE 'MaxWords=32, MinWords=16, ' END || E'StartSel=\\x02, StopSel=\\x03')
FROM conversations_searchentry e
JOIN conversations_conversation c ON c.id = e.conversation_id
LEFT JOIN conversations_message m ON m.id = e.id AND NOT e.is_title
WHERE e.id = ANY(%(ids)s) ORDER BY e.id DESC
"""

MARKDOWN = re.compile(r"[*`#|]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A message, or a title (`message` is None). `excerpt`: safe HTML with the found words marked."""

    id: uuid.UUID
    conversation: uuid.UUID
    title: str
    archived: bool
    message: uuid.UUID | None
    role: str
    at: datetime
    excerpt: SafeString


@dataclass(frozen=True, slots=True)
class Results:
    """A page of hits. `problem`: why nothing was searched. `next`: the last hit, if there are more after it."""

    hits: list[Hit]
    problem: str = ""
    next: uuid.UUID | None = None

    @property
    def count(self) -> str:
        """The number of hits, in words."""
        count = ngettext("%(count)d result", "%(count)d results", len(self.hits)) % {"count": len(self.hits)}
        return _("More than %(many)s") % {"many": count} if self.next else count


def find(user: User, text: str, after: uuid.UUID | None = None) -> Results:
    """The first page of what `text` finds, or the page after the hit `after`."""
    if len(text) > MAX_LENGTH:
        return Results([], _("Searches are limited to %(limit)d characters.") % {"limit": MAX_LENGTH})
    query = parse(text)
    if query is None:
        return Results([], _("Type at least one word."))
    assert user.pk is not None
    ids = _ids(query, user.pk, after or NO_CURSOR)
    more = len(ids) > PAGE_SIZE
    hits = _hits(query, ids[:PAGE_SIZE])
    return Results(hits, next=ids[PAGE_SIZE - 1] if more else None)


def _ids(query: Query, owner: int, after: uuid.UUID) -> list[uuid.UUID]:
    """The IDs of the next entries that match, one more than a page holds."""
    parameters: dict[str, str | int | uuid.UUID] = {
        "query": query.for_owner(owner),
        "owner": owner,
        "after": after,
        "newest": MAX_SCANNED,
        "limit": PAGE_SIZE + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(AMONG_NEWEST, parameters)
        found = [row[0] for row in cursor.fetchall()]
        if len(found) > PAGE_SIZE or not query.selective:
            return found
        cursor.execute(BY_WORDS, parameters)
        return [row[0] for row in cursor.fetchall()]


def _hits(query: Query, ids: list[uuid.UUID]) -> list[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(SHOW, {"query": query.text, "word": query.first_word, "ids": ids})
        rows = cursor.fetchall()
    hits = [
        Hit(pk, conversation, title, archived, None if is_title else pk, role, at, _excerpt(headline))
        for pk, is_title, conversation, title, archived, role, at, headline in rows
    ]
    # A title is mostly the first words of a prompt, so beside a message of its conversation it says nothing new.
    with_message = {hit.conversation for hit in hits if hit.message}
    return [hit for hit in hits if hit.message or hit.conversation not in with_message]


def _excerpt(headline: str) -> SafeString:
    safe = escape(" ".join(MARKDOWN.sub("", headline).split()))
    return mark_safe(safe.replace("\x02", "<mark>").replace("\x03", "</mark>"))  # noqa: S308  escaped above
