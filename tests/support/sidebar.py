"""Reads the list of conversations from the sidebar's HTML."""

from html.parser import HTMLParser

from tests.support.people import Person


class _Groups(HTMLParser):
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
    """The (label, titles) of each group in the list."""
    parser = _Groups()
    parser.feed(html)
    parser.close()
    return [(label, rows) for label, rows in parser.found if rows]


def listed(person: Person, query: str = "") -> list[str]:
    """The titles in a person's list."""
    return [title for _label, rows in groups(person.get(f"/sidebar/{query}").html) for title in rows]
