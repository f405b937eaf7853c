"""How formulas, code and right-to-left text look in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.support.browser.chat import sign_in_browser

TYPED = "Why?\n```python\nx = '<b>'\n\ny = 2\n```\nThank you"

FORMULAS = r"""
\[
\begin{aligned}
a &= b + c \\[4pt]
  &= d
\end{aligned}
\]

\begin{gather*}
x = 1 \\
y = 2
\end{gather*}

$$f(x) = \begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}$$
"""


@pytest.fixture
def context(browser, alice):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    sign_in_browser(context, alice)
    yield context
    context.close()


def show(chat, provider, text):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens(text).finish()
    chat.see_status("complete")


def boxes(locator):
    return [each.bounding_box() for each in locator.all()]


def test_formula_rows_are_stacked(chat, provider):
    show(chat, provider, FORMULAS)
    assert chat.content.locator("math").count() == 3
    for table in chat.content.locator("mtable").all():
        first, second = boxes(table.locator(":scope > mtr"))
        assert second["y"] >= first["y"] + first["height"] - 1


def test_formula_columns_are_aligned(chat, provider):
    show(chat, provider, FORMULAS)
    first, second = boxes(chat.content.locator("mtable").first.locator("mtd:nth-child(2)"))
    assert first["x"] == pytest.approx(second["x"], abs=1)


def test_inline_code_in_right_to_left_text_reads_left_to_right(chat, provider):
    show(chat, provider, "שלום `task.cancel()` שלום")
    order = chat.content.locator("code").evaluate(
        """code => [0, code.textContent.length - 1].map(place => {
            const range = document.createRange()
            range.setStart(code.firstChild, place)
            range.setEnd(code.firstChild, place + 1)
            return range.getBoundingClientRect().x
        })"""
    )
    assert order == sorted(order)


def test_code_in_a_prompt_looks_like_code(chat, provider):
    exchange = provider.expect(f"{TYPED} {id(chat)}")
    chat.open().ask(exchange.prompt)
    exchange.write_tokens("So.").finish()
    chat.see_status("complete")
    typed = chat.page.locator("[data-role=user] [data-content]")
    expect(typed.locator("code")).to_have_text("x = '<b>'\n\ny = 2", use_inner_text=True)
    assert "mono" in typed.locator("code").evaluate("code => getComputedStyle(code).fontFamily")
    assert "```" not in typed.inner_text()


def test_prompt_is_edited_and_copied_with_its_fences(chat, provider):
    exchange = provider.expect(f"{TYPED} {id(chat)}")
    chat.open().ask(exchange.prompt)
    exchange.write_tokens("So.").finish()
    chat.see_status("complete")
    message = chat.page.locator("[data-role=user]")
    message.hover()
    message.get_by_role("button", name="Copy").click()
    expect(message.locator("[data-done]")).to_have_count(1)
    assert chat.page.evaluate("navigator.clipboard.readText()") == exchange.prompt
    message.get_by_role("button", name="Edit").click()
    expect(message.get_by_role("textbox")).to_have_value(exchange.prompt)


DOTTED = """content => [...content.querySelectorAll("*")]
    .filter(each => getComputedStyle(each, "::after").content !== "none")
    .map(each => each.textContent.trim())"""


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("- one\n  - two\n  - three", "three"),
        ("- one\n\n- two", "two"),
        ("> one\n>\n> two", "two"),
        ("1. one\n   - two\n\n     three", "three"),
        ("one\n\ntwo", "two"),
        ("one\n\n```\ntwo", "two"),
    ],
)
def test_cursor_follows_the_last_word(chat, provider, text, last):
    """The cursor is not below the list that contains the word."""
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens(text)
    chat.see(last)
    assert chat.content.evaluate(DOTTED) == [last]
    exchange.finish()
