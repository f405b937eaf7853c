"""The composer, its drafts, its settings and the editor in a real browser."""

import pytest
from playwright.sync_api import expect

from conversations.models import Preferences
from tests.support.browser.chat import Chat, sign_in_browser


def test_enter_breaks_the_line_when_chosen_in_settings(chat, alice, provider):
    Preferences.objects.create(user=alice.user, enter_sends=False)
    exchange = provider.expect()
    chat.open()
    expect(chat.main).to_have_attribute("data-connection", "open")
    chat.box.fill(exchange.prompt)
    chat.box.press("Enter")
    chat.box.type("and more")
    assert chat.box.input_value() == f"{exchange.prompt}\nand more"
    chat.box.press("Control+Enter")
    exchange.write_tokens("Bees").finish()
    chat.see("Bees").see_status("complete")
    assert chat.complaints == []


def test_new_chat_keeps_its_settings_when_sent(chat, provider):
    exchange = provider.expect()
    chat.open()
    chat.button("Conversation settings").click()
    chat.page.get_by_label("System prompt").fill("Speak like a pirate.")
    chat.page.get_by_label("Temperature", exact=True).fill("3")
    chat.button("Done").click()
    expect(chat.page.locator("#instructions")).to_have_attribute("open", "")  # 3 is too much
    chat.page.get_by_label("Temperature", exact=True).fill("0.5")
    chat.button("Done").click()
    chat.ask(exchange.prompt)
    assert exchange.request.messages[0] == {"role": "system", "content": "Speak like a pirate."}
    exchange.write_tokens("Arr").finish()
    chat.see_status("complete")
    chat.button("Conversation settings").click()
    expect(chat.page.get_by_label("System prompt")).to_have_value("Speak like a pirate.")
    expect(chat.page.get_by_label("Temperature", exact=True)).to_have_value("0.5")
    chat.page.get_by_label("Temperature", exact=True).fill("1")
    chat.page.locator("#instructions").get_by_role("button", name="Save").click()
    expect(chat.page.get_by_text("Applies from your next message.")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator("#instructions")).not_to_be_visible()
    assert chat.complaints == []


def test_settings_can_change_during_an_answer(chat, provider):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens("Bees ")
    chat.see("Bees")
    chat.page.locator("summary.user__name").click()
    chat.page.get_by_role("link", name="Settings").click()
    chat.page.get_by_label("Dark").check()
    chat.page.locator("#settings").get_by_role("button", name="Save").click()
    expect(chat.page.locator("html")).to_have_attribute("data-theme", "dark")
    chat.page.locator("#settings").get_by_role("button", name="Close").click()
    exchange.write_tokens("hum").finish()
    chat.see("Bees hum").see_status("complete")
    assert chat.complaints == []


def test_draft_survives_reload_and_refusal_but_not_sign_out(chat, alice, server):
    chat.open()
    expect(chat.main).to_have_attribute("data-connection", "open")
    chat.box.fill("half a thought")
    chat.reload()
    expect(chat.box).to_have_value("half a thought")
    chat.page.evaluate("document.getElementById('model').add(new Option('gone', 'gone', true, true))")
    expect(chat.main).to_have_attribute("data-connection", "open")
    chat.button("Send").click()
    expect(chat.page.get_by_text("“gone” is not available")).to_be_visible()
    expect(chat.box).to_have_value("half a thought")
    chat.reload()
    expect(chat.box).to_have_value("half a thought")
    chat.page.locator("summary.user__name").click()
    chat.button("Sign out").click()
    chat.page.wait_for_url("**/accounts/login/**")
    chat.sign_in(alice).open()
    expect(chat.box).to_have_value("")


@pytest.fixture
def phone(browser, alice, server):
    """Alice's tab on a phone."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    sign_in_browser(context, alice)
    yield Chat(context.new_page(), server)
    context.close()


def connected(chat):
    expect(chat.main).to_have_attribute("data-connection", "open")
    return chat


def see_alert(chat, words):
    expect(chat.page.get_by_role("alert").filter(has_text=words)).to_be_visible()


def test_enter_breaks_the_line_on_a_phone(phone, provider):
    exchange = provider.expect()
    connected(phone.open()).box.fill(exchange.prompt)
    expect(phone.box).to_have_attribute("enterkeyhint", "enter")
    phone.box.press("Enter")
    phone.box.type("and more")
    assert phone.box.input_value() == f"{exchange.prompt}\nand more"
    phone.button("Send").tap()
    expect(phone.box).not_to_be_focused()  # the on-screen keyboard would cover the answer
    exchange.write_tokens("Bees").finish()
    phone.see("Bees").see_status("complete")
    phone.page.get_by_role("button", name="Edit", exact=True).tap()
    editor = phone.page.get_by_role("textbox", name="Edit your message")
    editor.fill("One")
    editor.press("Enter")
    assert editor.input_value() == "One\n"
    sizes = (
        "[...document.querySelectorAll('input, select, textarea')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(phone.page.evaluate(sizes)) >= 16  # below that, iOS zooms in
    assert phone.complaints == []


def test_text_typed_during_an_answer_can_be_sent(chat, provider):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens("Bees ")
    chat.see("Bees")
    expect(chat.button("Send")).to_be_hidden()
    following = provider.expect()
    chat.box.fill(following.prompt)
    expect(chat.button("Stop generating")).to_be_visible()
    chat.button("Send").click()
    exchange.wait_closed()
    following.write_tokens("Wasps").finish()
    chat.see("Wasps").see_status("complete")
    expect(chat.answers.first).to_have_attribute("data-status", "interrupted")
    expect(chat.button("Send")).to_have_count(1)
    assert chat.complaints == []


def test_characters_are_counted_near_the_limit(chat):
    connected(chat.open())
    count = chat.page.locator("[data-count]")
    chat.box.fill("x" * 20_000)
    expect(count).to_be_hidden()
    chat.box.fill("x" * 31_000)
    expect(count).to_have_text("31,000 / 32,000")
    chat.box.fill("x" * 33_021)
    expect(count).to_have_text("33,021 / 32,000")
    expect(chat.page.get_by_role("status").filter(has_text="Too long: 1,021")).to_have_count(1)
    chat.button("Send").click()
    see_alert(chat, "Too long: 1,021 characters over the limit of 32,000.")
    expect(chat.answers).to_have_count(0)


CARRY = """([type, words]) => {
    const data = new DataTransfer()
    data.items.add(new File(["x"], "bee.png", {type: "image/png"}))
    if (words) data.setData("text/plain", words)
    const init = {bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data}
    const event = type === "paste" ? new ClipboardEvent(type, init) : new DragEvent(type, init)
    return document.querySelector("textarea").dispatchEvent(event)
}"""
"""Whether the browser would handle the dropped file itself."""


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_pasted_and_dropped_files_are_refused_with_a_message(chat, way):
    connected(chat.open())
    assert not chat.page.evaluate(CARRY, [way, ""])
    see_alert(chat, "Files are not supported yet.")
    chat.box.fill("but words are")
    expect(chat.page.get_by_text("Files are not supported yet.")).to_be_hidden()
    assert not chat.page.evaluate(CARRY, ["dragover", ""])
    assert chat.page.evaluate(CARRY, ["paste", "a table, and a picture of it"])


def test_each_new_chat_has_its_own_draft(chat, tab, provider):
    exchange = provider.expect()
    other = tab()
    connected(chat.open()).box.fill("half a thought")
    connected(other.open())
    expect(other.box).to_have_value("")
    other.ask(exchange.prompt)
    exchange.write_tokens("Bees").finish()
    other.see_status("complete")
    connected(chat.reload())
    expect(chat.box).to_have_value("half a thought")
    chat.close()
    expect(tab().open().box).to_have_value("half a thought")


def test_next_account_sees_no_draft(chat, alice, bob):
    connected(chat.open()).box.fill("half a thought")
    sign_in_browser(chat.page.context, bob)
    connected(chat.open())
    assert chat.page.evaluate("JSON.stringify(localStorage)") == "{}"
    expect(chat.box).to_have_value("")


def let_pass(chat, seconds):
    """Advance the browser's clock one second at a time, so that the server, which uses real time, can answer the page's
    pings."""
    for _ in range(seconds):
        chat.page.clock.run_for(1000)
        chat.page.request.get(chat.server.url + "/")


def test_slow_answer_shows_a_quiet_hint(chat, provider):
    chat.page.clock.install()
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.wait_opened()
    expect(chat.answer).not_to_have_attribute("data-generation-id", "")
    let_pass(chat, 2)
    expect(chat.answer).not_to_contain_text("Waiting")
    let_pass(chat, 10)
    chat.see_note("Waiting for alpha-model… 1")
    let_pass(chat, 10)
    chat.see_note("This is unusually slow.")
    exchange.write_tokens("Bees")
    chat.see("Bees")
    expect(chat.answer).not_to_contain_text("Waiting")
    exchange.finish()
    chat.see_status("complete")


# --- editing ---------------------------------------------------------------------------------------------------------


def edit(chat):
    """Open the editor of the last prompt; returns its text box."""
    article = chat.page.locator("article[data-role=user]").last
    article.hover()
    article.get_by_role("button", name="Edit", exact=True).click()
    return chat.page.get_by_role("textbox", name="Edit your message")


def answered(chat, provider):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens("Bees").finish()
    chat.see_status("complete")
    return exchange


def test_editor_sends_like_the_composer(chat, alice, provider):
    Preferences.objects.create(user=alice.user, enter_sends=False)
    answered(chat, provider)
    editor = edit(chat)
    again = provider.expect()
    editor.fill(again.prompt)
    editor.press("Enter")
    assert editor.input_value() == f"{again.prompt}\n"
    editor.press("Control+Enter")
    again.write_tokens("Wasps").finish()
    chat.see("Wasps").see_status("complete")


def test_enter_that_ends_an_ime_composition_sends_nothing(chat, provider):
    """Safari fires the keydown after the end of the composition, with the key code 229."""
    answered(chat, provider)
    editor = edit(chat)
    editor.fill("ミツバチ")
    late = "{key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}"
    assert editor.evaluate(f"box => box.dispatchEvent(new KeyboardEvent('keydown', {late}))")
    expect(editor).to_have_value("ミツバチ")


FIXED = """() => {
    CSS.supports = () => false
    const sheet = new CSSStyleSheet()
    sheet.replaceSync("textarea { field-sizing: fixed !important }")
    document.adoptedStyleSheets = [sheet]
}"""


def test_text_boxes_grow_without_field_sizing(chat, provider):
    answered(chat, provider)
    chat.page.evaluate(FIXED)
    for box in (chat.page.locator("#prompt"), edit(chat)):
        box.fill("\n".join("abcdefgh"))
        assert box.evaluate("e => e.scrollHeight - e.clientHeight") <= 1
        assert box.bounding_box()["height"] > 8 * 20


def test_open_editor_survives_changes_in_another_tab(chat, tab, provider):
    answered(chat, provider)
    editor = edit(chat)
    editor.fill("half an edit")
    other = tab().open(chat.path)
    again = provider.expect()
    connected(other)
    box = edit(other)
    box.fill(again.prompt)
    other.page.locator("[data-editor]").get_by_role("button", name="Send").click()
    again.write_tokens("Wasps").finish()
    other.see("Wasps").see_status("complete")
    chat.see("Wasps")
    expect(chat.box).to_have_value("half an edit")
    see_alert(chat, "no longer shown")
