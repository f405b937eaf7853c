"""Dialogs over the chat stay open until they are closed, and the page shows that settings are set."""

from playwright.sync_api import expect

from tests.support.conversations import conversation


def test_selection_that_ends_outside_keeps_a_dialog_open(chat):
    chat.open()
    chat.button("Conversation settings").click()
    prompt = chat.page.get_by_label("System prompt")
    prompt.fill("Speak like a pirate.")
    box = prompt.bounding_box()
    chat.page.mouse.move(box["x"] + 20, box["y"] + 15)
    chat.page.mouse.down()
    chat.page.mouse.move(5, 5)
    chat.page.mouse.up()
    expect(prompt).to_be_visible()
    chat.page.mouse.click(5, 5)
    expect(prompt).to_be_hidden()
    assert not chat.complaints


def test_new_chat_shows_that_settings_are_set(chat):
    button = chat.open().button("Conversation settings")
    for prompt, set_ in (("Speak like a pirate.", True), ("", False)):
        button.click()
        chat.page.get_by_label("System prompt").fill(prompt)
        chat.button("Done").click()
        expect(button).to_have_attribute("title", "Conversation settings" + " (set)" * set_)


def test_conversation_shows_that_settings_are_set(chat, alice):
    button = chat.open(f"/c/{conversation(alice).pk}/").button("Conversation settings")
    expect(button).to_have_attribute("title", "Conversation settings")
    button.click()
    chat.page.get_by_label("Temperature", exact=True).fill("0")
    chat.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(button).to_have_attribute("title", "Conversation settings (set)")
    expect(chat.reload().button("Conversation settings")).to_have_attribute("data-set", "")
