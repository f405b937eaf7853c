"""How an answer grows in a real browser, and what people can do with it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.browser.chat import sign_in_browser
from tests.support.polling import eventually

CODE = "```python\nprint('bee')\n```\n\n"


@pytest.fixture
def context(browser, alice):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    sign_in_browser(context, alice)
    yield context
    context.close()


def begin(chat, provider, *tokens):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens(*tokens)
    return exchange


def select(chat, words):
    """Select these words of the answer, as with the mouse."""
    chat.page.evaluate(
        """words => {
            const walker = document.createTreeWalker(document.querySelector("[data-role=assistant] [data-content]"), 4)
            while (walker.nextNode() && !walker.currentNode.data.includes(words));
            const start = walker.currentNode.data.indexOf(words)
            getSelection().setBaseAndExtent(walker.currentNode, start, walker.currentNode, start + words.length)
        }""",
        words,
    )


def selected(chat):
    return chat.page.evaluate("getSelection().toString()")


def clipboard(chat):
    return chat.page.evaluate("navigator.clipboard.readText()")


def test_selection_survives_streaming(chat, provider):
    exchange = begin(chat, provider, "Bees hum", " and")
    chat.see("Bees hum and")
    select(chat, "hum")
    for more in (" dance", " **loudly**", ".\n\nThey ", "- a\n- b\n", CODE):
        exchange.write_tokens(more)
    chat.see("print")
    assert selected(chat) == "hum"
    exchange.finish()
    chat.see_status("complete")
    assert selected(chat) == "hum"
    assert chat.complaints == []


def test_finished_block_keeps_its_element(chat, provider):
    """The page does not remove and insert the block again, which would flash."""
    exchange = begin(chat, provider, "- one\n- two")
    chat.see("two")
    chat.page.evaluate(
        "document.querySelector('[data-content] ul').mark = document.querySelector('[data-content] li').mark = 1"
    )
    exchange.write_tokens("\n- three\n\n", "# Behind\n\n", "it")
    chat.see("it")
    exchange.finish()
    chat.see_status("complete")
    marks = "[...document.querySelectorAll('[data-content] :is(ul, li)')].map(element => element.mark)"
    assert chat.page.evaluate(marks) == [1, 1, None, None]
    live = chat.content.inner_html()
    chat.reload().see_status("complete")
    assert chat.content.inner_html() == live


def test_page_follows_the_end_only_when_at_the_end(chat, provider):
    exchange = begin(chat, provider, *[f"line {number}\n\n" for number in range(80)])
    chat.see("line 79")
    scroller = chat.page.locator("[data-scroller]")
    distance = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
    eventually(lambda: scroller.evaluate(distance) < 3, "the end in view")
    scroller.hover()
    chat.page.mouse.wheel(0, -400)
    expect(chat.button("Latest")).to_be_visible()
    top = scroller.evaluate("e => e.scrollTop")
    exchange.write_tokens(*[f"line {number}\n\n" for number in range(80, 120)])
    chat.see("line 119")
    assert scroller.evaluate("e => e.scrollTop") == top
    chat.button("Latest").click()
    exchange.write_tokens("the end").finish()
    chat.see("the end").see_status("complete")
    eventually(lambda: scroller.evaluate(distance) < 3, "the end in view again")


def test_copies_the_markdown(chat, provider):
    exchange = begin(chat, provider, "Bees **hum**\n\n", CODE, "$x^2$")
    exchange.finish()
    chat.see_status("complete")
    chat.answer.hover()
    chat.answer.get_by_role("button", name="Copy", exact=True).click()
    expect(chat.answer.get_by_role("button", name="Copy", exact=True)).to_have_attribute("data-done", "Copied")
    assert clipboard(chat) == exchange.text.strip()


def test_copies_a_code_block_by_keyboard_during_an_answer(chat, provider):
    exchange = begin(chat, provider, "First:\n\n", CODE, "and then\n\n```\nunfinished")
    chat.see("unfinished")
    button = chat.content.get_by_role("button", name="Copy code")
    expect(button).to_have_count(1)
    button.focus()
    chat.page.keyboard.press("Enter")
    expect(button).to_have_attribute("data-done", "Copied")
    assert clipboard(chat) == "print('bee')\n"
    exchange.write_tokens("\n```\n").finish()
    chat.see_status("complete")
    expect(button).to_have_count(2)
    assert chat.complaints == []


def test_regenerates_with_another_model(chat, provider):
    exchange = begin(chat, provider, "Bees hum")
    exchange.finish()
    chat.see_status("complete")
    again = provider.expect(exchange.prompt)
    chat.answer.hover()
    chat.button("Regenerate with another model").click()
    chat.button("beta-model").click()
    assert again.request.body["model"] == "beta-model"
    expect(chat.button("beta-model")).to_be_hidden()
    again.write_tokens("Wasps sting").finish()
    chat.see("Wasps sting").see_status("complete")
    expect(chat.answer.locator("[data-footer]")).to_contain_text("2 / 2")
    expect(chat.answer.locator("[data-footer]")).to_contain_text("beta-model")
    assert chat.complaints == []


def test_stopped_answer_can_be_retried_with_another_model(chat, provider):
    exchange = begin(chat, provider, "Bees hum")
    chat.see("Bees hum").stop()
    chat.see_status("interrupted")
    again = provider.expect(exchange.prompt)
    chat.button("Regenerate with another model").click()
    chat.page.keyboard.press("Escape")
    expect(chat.button("beta-model")).to_be_hidden()
    chat.button("Regenerate with another model").press("Enter")
    chat.button("beta-model").focus()
    chat.page.keyboard.press("Enter")
    assert again.request.body["model"] == "beta-model"
    again.write_tokens("Wasps").finish()
    chat.see("Wasps").see_status("complete")


def test_right_to_left_text_is_aligned_right(chat, provider):
    exchange = begin(
        chat, provider, "English\n\n", "שלום\n\n", "- שלום\n- עולם\n\n", "| א | ב |\n|---|---|\n| a | b |\n"
    )
    exchange.finish()
    chat.see_status("complete")
    places = chat.page.evaluate(
        """() => {
            const content = document.querySelector("[data-role=assistant] [data-content]")
            const side = element => {
                const range = new Range()
                range.selectNodeContents(element)
                const [text, box] = [range.getBoundingClientRect(), content.getBoundingClientRect()]
                return text.left - box.left > box.right - text.right ? "right" : "left"
            }
            return [...content.querySelectorAll("p, li")].map(side)
        }"""
    )
    assert places == ["left", "right", "right", "right"]
    assert chat.content.locator("th").first.bounding_box()["x"] > chat.content.locator("th").last.bounding_box()["x"]


def test_transcript_has_no_axe_violations(chat, provider):
    exchange = begin(
        chat, provider, "| a | b |\n|---|---|\n| $x^2$ | b |\n\n", "- one\n\n", "$$" + "x + " * 80 + "y$$\n\n"
    )
    exchange.write_tokens("```python\n" + "x = 1; " * 40 + "\n```\n\n", "and")
    chat.see("and")
    expect(chat.content.get_by_role("button", name="Copy code")).to_have_count(1)
    assert violations(chat) == []
    chat.stop()
    chat.see_status("interrupted")
    chat.button("Regenerate with another model").click()
    assert violations(chat) == []


def test_long_prompt_is_collapsed(chat, provider):
    exchange = provider.expect("\n".join(f"line {number}" for number in range(40)))
    chat.open().ask(exchange.prompt)
    mine = chat.page.locator("article[data-role=user] [data-content]")
    exchange.write_tokens("Bees").finish()
    chat.see_status("complete")
    assert mine.bounding_box()["height"] < 13 * 26
    button = chat.button("Show all")
    expect(button).to_have_attribute("aria-expanded", "false")
    assert violations(chat) == []
    button.press("Enter")
    expect(chat.button("Show less")).to_be_focused()
    assert mine.bounding_box()["height"] > 40 * 20
    chat.button("Show less").press("Enter")
    assert mine.bounding_box()["height"] < 13 * 26
    chat.page.emulate_media(media="print")
    assert mine.bounding_box()["height"] > 40 * 20


def test_hidden_parts_take_no_space(chat, provider):
    begin(chat, provider, "Bees").finish()
    chat.see_status("complete")
    expect(chat.note).to_be_hidden()
    expect(chat.answer.get_by_role("button", name="Copy", exact=True)).to_be_visible()
    assert chat.answer.locator("[data-footer]").evaluate("e => getComputedStyle(e).opacity") == "1"
    assert chat.page.evaluate("document.scrollingElement.scrollHeight - innerHeight") == 0


def violations(chat):
    # Elements that fade in reach their real colours only at the end.
    chat.page.evaluate("Promise.all(document.getAnimations().filter(a => a.transitionProperty).map(a => a.finished))")
    return [(found["id"], found["nodes"][0]["html"]) for found in Axe().run(chat.page).response["violations"]]
