"""Formulas become MathML, the same live and after a reload; money stays text, and hostile formulas are harmless."""

import time

import pytest

from conversations.rendering.markdown import mathml
from conversations.rendering.markdown.stream import MarkdownStream, render
from tests.support import generations
from tests.support.safe_html import assert_safe


def shown(text):
    return assert_safe(render(text))


@pytest.mark.parametrize(
    "text",
    ["so $x^2$ is", r"so \(x^2\) is", r"so \( x^2 \) is", "- $x^2$", "| a |\n|---|\n| $x^2$ |", "# $x^2$", "**$x^2$**"],
)
def test_inline_formula(text):
    page = shown(text)
    assert page.all("math") == [{"display": "inline"}]
    assert len(page.all("msup")) == 1
    assert "$" not in page.text
    assert "\\" not in page.text


@pytest.mark.parametrize(
    "text", ["$$\n\\frac{a}{b}\n$$", "$$\\frac{a}{b}$$", "\\[\n\\frac{a}{b}\n\\]", "1. so\n   $$\\frac{a}{b}$$"]
)
def test_display_formula(text):
    page = shown(text)
    assert page.all("math") == [{"display": "block"}]
    assert len(page.all("mfrac")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        "$5-$10",
        "US$5 and A$10",
        "from $5 to 10$ a day",
        "$100 million, or $2 billion in 2020$.",
        "**$5**, not *$6*",
        "**$5** vs **$6** vs **$7**",
        "`$x$` and `\\(x\\)`",
        "```\n$x$ \\(x\\) \\[x\\]\n```",
        "    $$x$$ \\(y\\)",
        "a \\$x\\$ b",
        "$$",
        "the price in $",
    ],
)
def test_money_and_code_are_not_formulas(text):
    page = shown(text)
    assert page.all("math") == []
    assert page.text.strip() == text.strip(" `").replace("\\$", "$").replace("*", "").replace("`", "").strip()


@pytest.mark.parametrize(
    "tex",
    [
        r"\foo x",
        "x^",
        r"\frac{a}",
        r"\begin{matrix} a",
        r"\left( x",
        "x" * (mathml.MAX_LENGTH + 1),
        "{" * 60 + "x" + "}" * 60,
    ],
)
def test_unreadable_formula_is_shown_as_source(tex):
    page = shown(f"so ${tex}$ is")
    assert page.all("math") == []
    assert page.text == f"so ${tex}$ is\n"


@pytest.mark.parametrize(
    "tex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{modal}{x}",
        r"\id{main}{x}",
        r"\text{</mtext><script>alert(1)</script>}",
        r"<img src=x onerror=alert(1)>",
        r"\unicode{x3c}script\unicode{x3e}",
        r"\color{red;background:url(//evil.example)}{x}",
        r"\hspace{100000em}x",
        r"\text{&lt;script&gt;}",
    ],
)
def test_hostile_formulas_are_harmless(tex):
    for text in (f"${tex}$", f"$${tex}$$", f"\\({tex}\\)"):
        html = render(text)
        page = assert_safe(html)
        assert not {"href", "style", "class", "id"} & {key for _tag, given in page.elements for key in given}
        assert "100000em" not in html or not page.all("math")


ROWS = r"a &= b \\ c &= d"


@pytest.mark.parametrize(
    "tex",
    [
        *(rf"\begin{{{name}}} {ROWS} \end{{{name}}}" for name in ("aligned", "align", "align*", "split")),
        rf"\begin{{aligned}}[t] {ROWS} \\ \end{{aligned}}",
        rf"\begin{{alignat}}{{2}} {ROWS}\end{{alignat}}",
        rf"\begin{{equation}}\begin{{split}} {ROWS} \end{{split}}\label{{x}}\end{{equation}}",
        r"\begin{align} a &= b \notag \\[4pt] c &= d \end{align}",
        r"\begin{align} a &= b \\* c &= d \nonumber \end{align}",
        r"\begin{gathered} a = b \\ c = d \end{gathered}",
        r"\begin{gather*} a = b \\ c = d \end{gather*}",
        r"\begin{eqnarray} a &=& b \\ c &=& d \end{eqnarray}",
        r"a = b \\ c = d",
    ],
)
def test_rows_are_stacked(tex):
    for text in (f"$$\n{tex}\n$$", f"\\[\n{tex}\n\\]"):
        page = shown(text)
        assert len(page.all("mtr")) == 2
        assert page.text.strip() == "a=bc=d"


@pytest.mark.parametrize("name", ["align*", "align", "equation", "gather", "eqnarray"])
@pytest.mark.parametrize("around", ["{}", "So\n\n{}\n\nand", "So\n{}\nand", "1. so\n\n   {}"])
def test_environment_needs_no_delimiters(name, around):
    page = shown(around.format(f"\\begin{{{name}}}\na = b\n\\end{{{name}}}"))
    assert page.all("math") == [{"display": "block"}]
    assert "a=b" in page.text
    assert "begin" not in page.text
    assert "$" not in page.text


@pytest.mark.parametrize(
    "text",
    [
        "```\n\\begin{align}\na\n\\end{align}\n```",
        "`\\begin{align}a\\end{align}`",
        "in \\begin{align}a\\end{align} a line",
        "\\begin{align}\na\n\n\\end{align}",
        "\\begin{align}\na\n\\end{gather}",
        "\\begin{itemize}\na\n\\end{itemize}",
    ],
)
def test_incomplete_environment_is_shown_as_written(text):
    page = shown(text)
    assert page.all("math") == []
    assert page.text.split() == text.replace("`", "").split()


@pytest.mark.parametrize(
    "tex",
    [
        r"\ce{H2O}",
        "a & b",
        r"\begin{rcases} a \\ b \end{rcases}",
        r"\begin{tabular}{c} a & b \end{tabular}",
        r"\begin{pmatrix}1\end{pmatrix} \\ x",
    ],
)
def test_unsupported_formula_is_shown_as_source(tex):
    page = shown(f"$${tex}$$")
    assert page.all("math") == []
    assert page.text.strip() == f"$${tex}$$"


def test_equation_number_is_set_apart():
    page = shown(r"$$x \tag{3}$$")
    assert page.all("mspace") == [{"width": "2em"}]
    assert page.text.strip() == "x(3)"


LONG = ["{", "x^", r"\frac", r"\left(", r"\begin{matrix}", "\\\\", "&", "'", "a", r"\sqrt[", "[", r"\text{", "^_", "9."]


@pytest.mark.parametrize("piece", LONG)
def test_long_formula_renders_quickly(piece):
    began = time.thread_time()
    mathml.formula(piece * (mathml.MAX_LENGTH // len(piece)), display=False)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "$a{}$ " * 5_000,
        r"\(" * 20_000,
        r"\[" * 20_000,
        r"\(x\) " * 5_000,
        "$" * 20_000,
        "$5" + "ab " * 30_000 + "=$",
        "$5-" * 5_000,
        "\\begin{align}\n" * 490,
        "\\begin{align}a\\end{align}\n" * 490,
    ],
)
def test_many_formulas_render_quickly(text):
    began = time.thread_time()
    assert_safe(render(text.replace("{}", "b" * 30)))
    assert time.thread_time() - began < 3


@pytest.mark.parametrize("size", [1, 3, 17])
def test_formula_renders_the_same_however_it_arrives(size):
    text = "So $x^2$\n\n$$\n\\frac{a}{b}\n$$\n\nand \\(y\\), \\[\nz\n\\]\n\nfor $5 and $6"
    growing, finished = MarkdownStream(), ""
    for start in range(0, len(text), size):
        growing.feed(text[start : start + size])
        html, tail = growing.flush()
        finished += html
        assert_safe(tail)
    assert finished + growing.finish() == render(text)
    assert len(assert_safe(render(text)).all("math")) == 4


def test_formula_is_the_same_live_and_after_a_reload(alice, answering):
    a = answering(alice, "So $x^2$ and ", "$$\\frac{a}{b}$$ end")
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    live = a.page.html(a.asked.generation)
    assert "<msup>" in live
    assert "<mfrac>" in live
    assert live in alice.get(f"/c/{a.asked.conversation}/").html
    assert generations.text(a.asked) == "So $x^2$ and $$\\frac{a}{b}$$ end"
