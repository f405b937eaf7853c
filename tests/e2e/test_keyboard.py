"""Everything can be done with the keyboard alone."""

from playwright.sync_api import expect

from tests.support.browser.chat import Chat
from tests.support.conversations import conversation

FOCUS = """async () => {
    for (const _ of [1, 2, 3]) await new Promise(requestAnimationFrame) // what appears with the focus takes a frame
    const focused = document.activeElement
    const { outlineStyle, boxShadow } = getComputedStyle(focused.closest("[data-composer], [data-editor]") ?? focused)
    return {
        name: focused.ariaLabel || focused.labels?.[0]?.textContent || focused.textContent.trim().replace(/\\s+/g, " "),
        tag: focused.localName,
        seen: focused.checkVisibility({ opacityProperty: true, visibilityProperty: true })
            && (getComputedStyle(focused).outlineStyle !== "none" || outlineStyle !== "none" || boxShadow !== "none"),
    }
}"""


def walk(chat: Chat, steps: int, key: str = "Tab") -> list[dict[str, object]]:
    """The focused element after each key press."""
    stops = []
    for _ in range(steps):
        chat.page.keyboard.press(key)
        stops.append(chat.page.evaluate(FOCUS))
    return stops


def press_until(chat: Chat, name: str, key: str = "Tab") -> None:
    """Press a key until the focused element has this name."""
    for _ in range(40):
        if chat.page.evaluate(FOCUS)["name"] == name:
            return
        chat.page.keyboard.press(key)
    raise AssertionError(f"{name} is out of reach of the keyboard")


def test_keyboard_reaches_ask_stop_regenerate_and_settings(chat, alice, provider):
    press = chat.page.keyboard.press
    chat.open()
    expect(chat.box).to_be_focused()
    expect(chat.main).to_have_attribute("data-connection", "open")
    exchange = provider.expect()
    chat.page.keyboard.type(exchange.prompt)
    press("Enter")
    exchange.write_tokens("Bees ", "hum")
    chat.see("Bees hum")
    expect(chat.box).to_be_focused()
    press("Escape")
    chat.see_status("interrupted")
    expect(chat.box).to_be_focused()

    again = provider.expect(exchange.prompt)
    press_until(chat, "Regenerate", "Shift+Tab")
    press("Enter")
    again.write_tokens("Wasps sting").finish()
    chat.see("Wasps sting").see_status("complete")

    press("Control+k")
    search = chat.page.get_by_role("searchbox")
    expect(search).to_be_focused()
    press("Escape")
    expect(search).to_be_hidden()

    press_until(chat, alice.user.username, "Shift+Tab")
    press("Enter")
    press_until(chat, "Settings")
    press("Enter")
    dialog = chat.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    press("Escape")
    expect(dialog).to_be_hidden()
    assert chat.complaints == []


def test_tab_reaches_everything_with_visible_focus(chat, provider):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens("Bees ", "hum").finish()
    chat.see_status("complete")
    chat.page.emulate_media(reduced_motion="reduce")
    chat.reload().see_status("complete")
    stops = walk(chat, 16)
    assert stops[0]["name"] == "Skip to the message box"
    names = [stop["name"] for stop in stops]
    for name in ("New chat", "Transcript", "Edit", "Copy", "Regenerate", "Message", "Model"):
        assert name in names, (name, names)
    unseen = [stop for stop in stops if stop["tag"] != "body" and not stop["seen"]]
    assert unseen == []


def test_arrow_keys_wrap_around_in_menus(chat, alice):
    made = conversation(alice)
    chat.open(f"/c/{made.pk}/")
    press = chat.page.keyboard.press
    focused = lambda: chat.page.evaluate("document.activeElement.textContent.trim()")  # noqa: E731
    chat.page.locator(f"#more-{made.pk}").focus()
    press("Enter")
    expect(chat.page.locator("#row-menu").get_by_role("button", name="Rename")).to_be_focused()
    walked = []
    for key in ("ArrowDown", "ArrowUp", "ArrowUp", "ArrowDown", "End", "Home"):
        press(key)
        walked.append(focused())
    assert walked == ["Pin", "Rename", "Delete", "Rename", "Delete", "Rename"]
    press("Escape")
    expect(chat.page.locator(f"#more-{made.pk}")).to_be_focused()


def test_search_opens_with_the_platform_shortcut(context, server):
    context.add_init_script("Object.defineProperty(navigator, 'platform', {value: 'MacIntel'})")
    chat = Chat(context.new_page(), server).open()
    expect(chat.main).to_have_attribute("data-connection", "open")
    expect(chat.page.locator("[data-search] kbd")).to_have_text("⌘ K")
    chat.page.keyboard.press("Control+k")  # deletes to the end of the line on macOS
    expect(chat.page.get_by_role("searchbox")).to_have_count(0)
    chat.page.keyboard.press("Meta+k")
    expect(chat.page.get_by_role("searchbox")).to_be_focused()
