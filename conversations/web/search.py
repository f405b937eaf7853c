"""Search over one's own titles and messages, newest first.

Two ways through the index, neither of which costs more with more people or more history. A frequent word is soon met
among the newest entries; a rare one has few entries in the index of words. A word is never both.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Conversation
from conversations.models.conversation import parse_id

from .request import HttpRequest

PAGE = 20
LONGEST = 500
"""Characters of a search."""

RECENT = 6
"""Conversations that are offered before anything is typed."""

NEWEST = 1000
"""Entries that are looked through before the index of words is asked."""

LAST = uuid.UUID(int=2**128 - 1)

PARSE = "SELECT websearch_to_tsquery('simple', %(text)s)::text, querytree(websearch_to_tsquery('simple', %(text)s))"

# The owner as a range, so that only the index of owner and id is in order. With an equation the planner may go through
# everybody's entries by the primary key, and those of somebody who has written much, but not lately, are far away.
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

# One conversation after the other, by its key: the planner expects many more matches than there are, and may
# read all conversations of everybody for them.
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

# Around the first of the words, because a headline is looked for in all of the text it is given.
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

LEXEME = re.compile(r"'((?:[^']|'')*)'")
COMPOUND = re.compile(r"'([^']*-[^']*)'((?: <-> '[^']*')+)$")
SCHEME = re.compile(r"\b\w+://")  # of an address the index has what follows; a search would take the colon apart
MARKDOWN = re.compile(r"[*`#|]+")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, as PostgreSQL writes it. `selective`: has a word that must be there."""

    text: str
    selective: bool

    def of(self, owner: int) -> str:
        """The same about the words of one person, as the index has them."""
        return LEXEME.sub(lambda found: f"'{owner}:{found[1]}'", self.text)

    @property
    def word(self) -> str:
        """The first that must be there, for the excerpt; "" if there is none."""
        found = re.search(r"(?<!!)" + LEXEME.pattern, self.text)
        return found[1].replace("''", "'").replace("\\\\", "\\") if found else ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message or a title. `excerpt`: safe, with its words marked. `message`: None for a title."""

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
    """`problem`: why nothing was looked for. `next`: the hit behind which there are more."""

    hits: list[Hit]
    problem: str = ""
    next: uuid.UUID | None = None

    @property
    def count(self) -> str:
        """How many there are, in words."""
        many = ngettext("%(count)d result", "%(count)d results", len(self.hits)) % {"count": len(self.hits)}
        return _("More than %(many)s") % {"many": many} if self.next else many


@never_cache
@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """A page; for htmx the content of the dialog, or only the results where they go there."""
    text = request.GET.get("q", "").replace("\0", " ").strip()
    after = parse_id(request.GET.get("after", ""))
    results = find(request.user, text, after) if text else None
    context: dict[str, object] = {"q": text, "results": results, "continued": after is not None}
    if results is None:
        context["recent"] = Conversation.objects.visible_to(request.user).begun().newest_first()[:RECENT]
    if not request.htmx:
        return render(request, "conversations/search.html", context)
    partial = after is not None or request.htmx.target == "search-results"
    return render(request, f"conversations/{'_search_results' if partial else '_search'}.html", context)


def find(user: AbstractBaseUser | AnonymousUser, text: str, after: uuid.UUID | None = None) -> Results:
    """A page of what somebody can find of their own; words, "phrases", OR and -without mean what they do elsewhere."""
    if len(text) > LONGEST:
        return Results([], _("Searches are limited to %(limit)d characters.") % {"limit": LONGEST})
    query = parse(text)
    if query is None:
        return Results([], _("Type at least one word."))
    assert user.pk is not None
    ids = _ids(query, user.pk, after or LAST)
    more = len(ids) > PAGE
    hits = _hits(query, ids[:PAGE])
    return Results(hits, next=ids[PAGE - 1] if more else None)


def parse(text: str) -> Query | None:
    """None if there is no word in it. The last word may be the beginning of one, as somebody still types."""
    with connection.cursor() as cursor:
        cursor.execute(PARSE, {"text": SCHEME.sub("", text)})
        written, needed = cursor.fetchone()
    if not written:
        return None
    last = text.split()[-1]
    unfinished = text[-1].isalnum() and not last.startswith("-") and text.count('"') % 2 == 0 and written[-1] == "'"
    return Query(_begun(written) if unfinished else written, needed not in ("", "T"))


def _begun(written: str) -> str:
    """The query with the beginning of a word in place of its last word; of a compound like 'well-kno' the index has
    the whole and the parts, so the whole is a beginning, too."""
    compound = COMPOUND.search(written)
    if compound and compound[1].split("-") == LEXEME.findall(compound[2]):
        written = f"{written[: compound.start()]}'{compound[1]}':*{compound[2]}"
    return f"{written}:*"


def _ids(query: Query, owner: int, after: uuid.UUID) -> list[uuid.UUID]:
    parameters: dict[str, str | int | uuid.UUID] = {
        "query": query.of(owner),
        "owner": owner,
        "after": after,
        "newest": NEWEST,
        "limit": PAGE + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(AMONG_NEWEST, parameters)
        found = [row[0] for row in cursor.fetchall()]
        if len(found) > PAGE or not query.selective:
            return found
        cursor.execute(BY_WORDS, parameters)
        return [row[0] for row in cursor.fetchall()]


def _hits(query: Query, ids: list[uuid.UUID]) -> list[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(SHOW, {"query": query.text, "word": query.word, "ids": ids})
        rows = cursor.fetchall()
    hits = [
        Hit(pk, conversation, title, archived, None if is_title else pk, role, at, _excerpt(headline))
        for pk, is_title, conversation, title, archived, role, at, headline in rows
    ]
    # A title is mostly the first words of a prompt: beside a message of its conversation it says nothing new.
    by_message = {hit.conversation for hit in hits if hit.message}
    return [hit for hit in hits if hit.message or hit.conversation not in by_message]


def _excerpt(headline: str) -> SafeString:
    safe = escape(" ".join(MARKDOWN.sub("", headline).split()))
    return mark_safe(safe.replace("\x02", "<mark>").replace("\x03", "</mark>"))  # noqa: S308  escaped before
