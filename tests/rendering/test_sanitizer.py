"""HTML skips the sanitizer only if it contains nothing dangerous."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.rendering.markdown import sanitizer
from tests.support.safe_html import ALLOWED, ParsedHtml

NEARLY = [
    *(
        "<P>",
        "<p >",
        "<p/>",
        "<p\n>",
        "<p",
        "a < b",
        "<",
        "< p>",
        "<p><",
        "<!-- x -->",
        "<?x?>",
        "<!doctype html>",
        "<svg>",
    ),
    *("<script>", "</script>", "<style>", "<img>", "<div>", "</div>", "</body>", "<h1>", "<table border>", "<math>"),
    *(
        '<p onclick="x">',
        '<p class="k">',
        '<span class="modal">',
        '<span class="k x">',
        "<span class=k>",
        "<span class='k'>",
    ),
    *('<sub class="k">', "<sup onclick=x>", '<kbd id="x">', "<details>"),
    *('<code class="language-">', '<code class="language-x y">', '<code class="language-x\n">', '<code class="k">'),
    *('<ul dir="ltr">', '<ul dir="auto" id="x">', '<ul  dir="auto">', '<td align="justify">', '<p align="left">'),
    *('<a href="https://a.example">', "</a>", '<ol start="2">', '</span class="k">', "</ p>", "</p >"),
]
HARMLESS = [
    *("<sub>", "</sub>", "<sup>", "<kbd>", "</kbd>"),
    *("<p>", "</p>", "<br>", "<h3>", "<strong>", "</li>", "<tbody>", '<ul dir="auto">', '<table dir="auto">'),
    *('<td align="right">', '<th align="left">', '<code class="language-c++">', '<code class="language-c#">'),
    *('<span class="nb">', "</span>", "text & more > less", "\n", "é🐝", "&lt;script&gt;", '"', "'"),
]


class Elements(ParsedHtml):
    """The same for HTML that need not be well-formed."""

    def handle_endtag(self, tag):
        assert tag in ALLOWED


@pytest.mark.parametrize("piece", NEARLY)
def test_only_exactly_known_html_skips_the_sanitizer(piece):
    assert not sanitizer._HARMLESS.fullmatch(piece)
    assert not sanitizer._HARMLESS.fullmatch(f"<p>a</p>{piece}<p>b</p>")


@given(st.lists(st.sampled_from(HARMLESS) | st.text("<>/p &\"'=", max_size=6)).map("".join))
def test_html_that_skips_the_sanitizer_is_allowed(html):
    if sanitizer._HARMLESS.fullmatch(html):
        for tag, attributes in Elements(html).elements:
            assert attributes.keys() <= ALLOWED[tag]
    for tag, attributes in Elements(sanitizer.clean(html)).elements:
        assert attributes.keys() <= ALLOWED[tag]


def test_most_html_skips_the_sanitizer():
    assert all(map(sanitizer._HARMLESS.fullmatch, [*HARMLESS, "".join(HARMLESS), ""]))
