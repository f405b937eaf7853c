"""Parses HTML like a browser and checks that it contains only allowed elements."""

import re
from html.parser import HTMLParser

from conversations.rendering.markdown import highlighting, mathml

WITHOUT_ATTRIBUTES = "p br hr h3 h4 h5 h6 em strong del sub sup kbd li pre thead tbody tr"
ALLOWED = {
    **mathml.ELEMENTS,
    **dict.fromkeys(WITHOUT_ATTRIBUTES.split(), frozenset()),
    **dict.fromkeys(("ul", "blockquote", "table"), frozenset({"dir"})),
    "a": frozenset({"href", "title", "target", "rel"}),
    "ol": frozenset({"start", "dir"}),
    "th": frozenset({"align"}),
    "td": frozenset({"align"}),
    "code": frozenset({"class"}),
    "span": frozenset({"class"}),
}
VOID_ELEMENTS = {"br", "hr"}


class ParsedHtml(HTMLParser):
    """What a browser finds in a fragment of HTML: its elements and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration: {decl}")

    handle_pi = unknown_decl = handle_decl

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def assert_safe(html: str) -> ParsedHtml:
    """Parse the HTML and check that it contains only what is allowed; returns the result."""
    page = ParsedHtml(html)
    assert not page.open, "well-formed"
    for tag, attributes in page.elements:
        assert attributes.keys() <= ALLOWED[tag], (tag, attributes)
        if tag == "a":
            assert re.match(r"https?://[^/]|mailto:", attributes["href"] or "", re.IGNORECASE)
            assert attributes["rel"] == "noopener noreferrer nofollow"
            assert attributes["target"] == "_blank"
        if tag == "code" and "class" in attributes:
            assert re.fullmatch(r"language-[\w+#.-]+", attributes["class"] or "")
        assert attributes.get("dir", "auto") == "auto"
        if tag == "span":
            assert attributes["class"] in highlighting.CLASSES
    return page
