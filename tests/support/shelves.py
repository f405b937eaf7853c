"""Conversations for tests of the list: made in the database, without an answer being written."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from django.utils import timezone

from conversations.models import Conversation, Message, Role
from tests.support.visitors import Person


def conversation(person: Person, title: str = "About bees", *, ago: timedelta = timedelta(), **fields: Any) -> Any:
    """A conversation with a prompt and its answer, last active that long ago."""
    at = timezone.now() - ago
    made = Conversation.objects.create(owner=person.user, title=title, active_at=at, **fields)
    prompt = Message.objects.create(conversation=made, role=Role.USER, content=f"Tell me {title.lower()}")
    answer = Message.objects.create(conversation=made, parent=prompt, role=Role.ASSISTANT, content="Bees hum")
    made.show(answer.pk)
    return made


def path(made: Conversation, action: str) -> str:
    return f"/c/{made.pk}/{action}/"


class _Rows(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = [("", [])]
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = dict(attrs).get("class") or ""
        if kind in ("group", "group__label", "row__link"):
            self._inside = kind
        if kind == "group":
            self.found.append(("", []))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        _label, rows = self.found[-1]
        if self._inside == "group__label":
            self.found[-1] = (data, rows)
        elif self._inside == "row__link":
            rows.append(data)


def groups(html: str) -> list[tuple[str, list[str]]]:
    """(label, titles) of each group of the list."""
    parser = _Rows()
    parser.feed(html)
    parser.close()
    return [(label, rows) for label, rows in parser.found if rows]


def listed(person: Person, query: str = "") -> list[str]:
    """The titles in a person's list."""
    return [title for _label, rows in groups(person.get(f"/sidebar/{query}").html) for title in rows]
