"""Turns what somebody types into the search into a query of PostgreSQL's full-text search."""

import re
from dataclasses import dataclass

from django.db import connection

PARSE = "SELECT websearch_to_tsquery('simple', %(text)s)::text, querytree(websearch_to_tsquery('simple', %(text)s))"

LEXEME = re.compile(r"'((?:[^']|'')*)'")
COMPOUND = re.compile(r"'([^']*-[^']*)'((?: <-> '[^']*')+)$")
SCHEME = re.compile(r"\b\w+://")
"""Removed from the search text. The index has the rest of a URL as one word, but a search would split it at the colon.
"""


@dataclass(frozen=True, slots=True)
class Query:
    """A `tsquery` in PostgreSQL's notation. `selective`: it has a word that must occur."""

    text: str
    selective: bool

    def for_owner(self, owner: int) -> str:
        """The same query for the words of one person: in the index each word carries the ID of its owner."""
        return LEXEME.sub(lambda match: f"'{owner}:{match[1]}'", self.text)

    @property
    def first_word(self) -> str:
        """The first word that is not excluded, around which the excerpt is cut; "" if there is none."""
        found = re.search(r"(?<!!)" + LEXEME.pattern, self.text)
        return found[1].replace("''", "'").replace("\\\\", "\\") if found else ""


def parse(text: str) -> Query | None:
    """The query; None if `text` has no word. Words, "phrases", OR and -exclusions have their usual meaning. The last
    word also matches as a prefix, because somebody may still be typing it. Runs one query."""
    with connection.cursor() as cursor:
        cursor.execute(PARSE, {"text": SCHEME.sub("", text)})
        query, required = cursor.fetchone()
    if not query:
        return None
    last = text.split()[-1]
    unfinished = text[-1].isalnum() and not last.startswith("-") and text.count('"') % 2 == 0 and query[-1] == "'"
    return Query(_with_prefix(query) if unfinished else query, required not in ("", "T"))


def _with_prefix(query: str) -> str:
    """The query with its last word as a prefix. The index holds a compound like 'well-known' as a whole and in parts,
    so the whole of an unfinished compound becomes a prefix, too."""
    compound = COMPOUND.search(query)
    if compound and compound[1].split("-") == LEXEME.findall(compound[2]):
        query = f"{query[: compound.start()]}'{compound[1]}':*{compound[2]}"
    return f"{query}:*"
