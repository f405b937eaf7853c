"""Messages load while scrolling through a long conversation, and nothing in view moves."""

import pytest
from playwright.sync_api import expect

from conversations.rendering import transcript_pages
from tests.support.conversations import LONG, converse
from tests.support.polling import eventually

TOP = """([place]) => {
    const [article] = [...document.querySelectorAll("article")].filter(a => a.textContent.includes(place + " "))
    return article?.getBoundingClientRect().top
}"""


@pytest.fixture
def long(alice):
    return converse(alice, [f"place-{number} " + "and so on " * 40 for number in range(LONG)])


def place(chat, number):
    return chat.page.locator("article", has_text=f"place-{number} ")


def top(chat, number):
    return chat.page.evaluate(TOP, [f"place-{number}"])


def scroll(chat, by):
    chat.page.evaluate("by => document.querySelector('[data-scroller]').scrollBy(0, by)", by)


def test_older_messages_load_without_a_jump(chat, long):
    conversation, _messages = long
    first = LONG - transcript_pages.MAX_MESSAGES
    chat.open(f"/c/{conversation.pk}/")
    expect(place(chat, LONG - 1)).to_be_in_viewport()
    expect(place(chat, first)).to_have_count(1)
    chat.page.evaluate(
        """text => { document.addEventListener("htmx:beforeSwap", () => { window.before = place() })
        document.addEventListener("htmx:afterSwap", () => requestAnimationFrame(() => { window.after = place() }))
        const place = () => [...document.querySelectorAll("article")]
            .find(a => a.textContent.includes(text)).getBoundingClientRect().top }""",
        f"place-{first + 1} ",
    )
    place(chat, first + 1).scroll_into_view_if_needed()
    expect(place(chat, first - 1)).to_have_count(1)
    eventually(lambda: chat.page.evaluate("window.after !== undefined"), "the frame after the swap")
    before, after = chat.page.evaluate("[window.before, window.after]")
    assert abs(before - after) < 2
    expect(place(chat, first + 1)).to_be_in_viewport()
    assert chat.complaints == []


def test_opens_at_a_message_and_scrolls_to_the_end(chat, long, provider):
    conversation, messages = long
    chat.open(f"/c/{conversation.pk}/?at={messages[40].pk}#message-{messages[40].pk}")
    expect(place(chat, 40)).to_be_in_viewport()
    expect(place(chat, 40)).to_be_focused()
    expect(place(chat, LONG - 1)).to_have_count(0)
    chat.button("Latest").click()
    expect(place(chat, LONG - 1)).to_be_in_viewport()
    expect(chat.button("Latest")).to_be_hidden()
    assert "at=" not in chat.page.url
    assert chat.complaints == []


def test_scrolling_down_loads_until_the_end(chat, long):
    conversation, messages = long
    chat.open(f"/c/{conversation.pk}/?at={messages[40].pk}")
    expect(place(chat, 40)).to_be_in_viewport()
    expect(chat.main).to_have_attribute("data-connection", "open")
    eventually(lambda: scroll(chat, 4000) or place(chat, LONG - 1).count(), "the last message")
    expect(place(chat, 90)).to_have_count(1)


def test_prompt_sent_far_above_continues_at_the_end(chat, long, provider):
    conversation, messages = long
    chat.open(f"/c/{conversation.pk}/?at={messages[40].pk}")
    expect(place(chat, 40)).to_be_in_viewport()
    exchange = provider.expect()
    chat.ask(exchange.prompt)
    assert f"place-{LONG - 1} " in "".join(exchange.request.contents)
    exchange.write_tokens("At the end.").finish()
    chat.see("At the end.").see_status("complete")
    expect(place(chat, LONG - 1)).to_have_count(1)
    expect(place(chat, 40)).to_have_count(0)
    expect(chat.answer).to_be_in_viewport()
    assert chat.complaints == []


def test_prompt_in_another_tab_does_not_scroll_the_reader(chat, tab, long, provider):
    conversation, messages = long
    chat.open(f"/c/{conversation.pk}/?at={messages[40].pk}")
    expect(chat.main).to_have_attribute("data-connection", "open")
    other = tab().open(f"/c/{conversation.pk}/")
    exchange = provider.expect()
    other.ask(exchange.prompt)
    exchange.write_tokens("From elsewhere")
    other.see("From elsewhere")
    expect(place(chat, 40)).to_be_in_viewport()
    chat.button("Latest").click()
    chat.see("From elsewhere")
    exchange.write_tokens(" on.").finish()
    chat.see("From elsewhere on.").see_status("complete")
    assert chat.complaints == []


def test_switched_version_stays_under_the_pointer(chat, alice, long):
    conversation, messages = long
    converse(alice, ["another place-20 " + "and so on " * 40, *["other " * 200] * 9], messages[19], conversation)
    conversation.show(messages[-1].pk)
    chat.open(f"/c/{conversation.pk}/?at={messages[20].pk}")
    article = chat.page.locator(f"article[data-parent-id='{messages[19].pk}']")
    button = article.get_by_role("button", name="Next version")
    article.hover()
    before = button.bounding_box()
    button.click()
    expect(article).to_contain_text("another place-20")
    back = article.get_by_role("button", name="Previous version")
    back.hover()
    assert abs(back.bounding_box()["y"] - before["y"]) < 2
    back.click()
    expect(article).not_to_contain_text("another")
    expect(article).to_be_in_viewport()
    assert abs(article.get_by_role("button", name="Next version").bounding_box()["y"] - before["y"]) < 2
