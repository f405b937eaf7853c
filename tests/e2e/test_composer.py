"""The composer and what is set beside it, in a real browser."""

from playwright.sync_api import expect

from conversations.models import Preferences


def test_enter_begins_a_new_line_where_that_was_chosen(chat, alice, provider):
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


def test_a_new_chat_keeps_its_instructions_until_it_is_sent_and_has_them_afterwards(chat, provider):
    exchange = provider.expect()
    chat.open()
    chat.button("Instructions and temperature").click()
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
    chat.button("Instructions and temperature").click()
    expect(chat.page.get_by_label("System prompt")).to_have_value("Speak like a pirate.")
    expect(chat.page.get_by_label("Temperature", exact=True)).to_have_value("0.5")
    chat.page.get_by_label("Temperature", exact=True).fill("1")
    chat.page.locator("#instructions").get_by_role("button", name="Save").click()
    expect(chat.page.get_by_text("Applies from your next message.")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator("#instructions")).not_to_be_visible()
    assert chat.complaints == []


def test_settings_are_changed_while_an_answer_goes_on(chat, provider):
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


def test_what_was_typed_outlives_a_reload_and_a_refusal_but_not_the_sign_out(chat, alice, server):
    chat.open()
    expect(chat.main).to_have_attribute("data-connection", "open")
    chat.box.fill("half a thought")
    chat.reload()
    expect(chat.box).to_have_value("half a thought")
    chat.page.evaluate("document.getElementById('model').add(new Option('gone', 'gone', true, true))")
    expect(chat.main).to_have_attribute("data-connection", "open")
    chat.button("Send").click()
    expect(chat.page.get_by_text("“gone” is not offered here")).to_be_visible()
    expect(chat.box).to_have_value("half a thought")
    chat.reload()
    expect(chat.box).to_have_value("half a thought")
    chat.page.locator("summary.user__name").click()
    chat.button("Sign out").click()
    chat.page.wait_for_url("**/accounts/login/**")
    chat.sign_in(alice).open()
    expect(chat.box).to_have_value("")
