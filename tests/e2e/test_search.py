"""Search in a browser, from the keyboard to the message."""

import re

from playwright.sync_api import expect

from tests.support.conversations import searchable_messages


def test_search_by_keyboard_opens_the_message(chat, alice):
    messages = searchable_messages(
        alice, "first words", "a lonely axolotl", *(f"later {number}" for number in range(90))
    )
    chat.open("/")
    chat.page.keyboard.press("Control+k")
    field = chat.page.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.press_sequentially("axol", delay=50)
    hit = chat.page.locator(".hit")
    expect(hit).to_have_count(1)
    expect(hit.locator("mark")).to_have_text("axolotl")
    field.press("ArrowDown")
    expect(hit).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator(f"#message-{messages[1].pk}")).to_be_in_viewport()
    expect(chat.page.locator("#search")).to_be_hidden()
    expect(chat.page).to_have_url(re.compile(f"{re.escape(str(messages[1].pk))}$"))
    chat.reload()
    expect(chat.page.locator(f"#message-{messages[1].pk}")).to_be_in_viewport()
    assert chat.page.evaluate("document.scrollingElement.scrollTop") == 0
    assert not chat.complaints


def test_escape_closes_search_and_stops_nothing(chat, alice, provider):
    exchange = provider.expect()
    chat.open("/").ask(exchange.prompt)
    exchange.write_tokens("Bees ", "hum")
    chat.see("Bees hum")
    chat.page.keyboard.press("Control+k")
    expect(chat.page.get_by_role("searchbox")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator("#search")).to_be_hidden()
    exchange.write_tokens(" on").finish()
    chat.see_status("complete")
    assert not chat.complaints
