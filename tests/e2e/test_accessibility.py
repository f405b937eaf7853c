"""Axe finds no violations in any state, and pages fit small screens, touch and reduced motion."""

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import expect

from tests.support.browser.accessibility import PHONE, WIDE, assert_accessible
from tests.support.browser.actions import begin_answer, open_row_menu
from tests.support.browser.chat import Chat, sign_in_browser
from tests.support.conversations import action_path, conversation

SMALLEST = {"width": 320, "height": 640}
ZOOMED = {"width": 640, "height": 360}  # 1280 × 720 at 200 %
FINGER = 44
BROAD = (
    "| a | b | c | d | e | f |\n|---|---|---|---|---|--:|\n"
    "| unbreakable | unbreakable | unbreakable | unbreakable | unbreakable | unbreakable |\n\n"
    "```python\nprint('" + "x" * 200 + "')\n```\n\n" + "w" * 200 + "\n\nEnd"
)


def test_conversation_has_no_axe_violations(chat, provider):
    chat.open()
    expect(chat.main).to_have_attribute("data-connection", "open")
    assert_accessible(chat.page, "empty")
    exchange = begin_answer(
        chat, provider, "Bees\n\n- **hum**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1  # one\n```\n\n"
    )
    exchange.write_tokens("> `wax`, [more](https://example.org) $x^2$")
    chat.see("wax")
    assert_accessible(chat.page, "streaming")
    chat.stop()
    chat.see_status("interrupted")
    assert_accessible(chat.page, "stopped")
    again = provider.expect(exchange.prompt)
    chat.regenerate()
    again.respond(429, {"Retry-After": "20"})
    chat.see_status("error")
    assert_accessible(chat.page, "error, versions")


def test_dialogs_and_sidebar_have_no_axe_violations(alice, chat):
    conversation(alice)
    chat.open()
    expect(chat.main).to_have_attribute("data-connection", "open")
    page = chat.page
    page.locator(".user summary").click()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page, "settings")
    page.keyboard.press("Escape")
    chat.button("Conversation settings").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page, "options", (WIDE, "light"), (WIDE, "dark"))
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert_accessible(page, "search")
    page.keyboard.press("Escape")
    chat.open("/search/?q=bees")
    expect(page.locator(".hit").first).to_be_visible()
    assert_accessible(page, "found")
    chat.open()
    page.set_viewport_size(PHONE)
    chat.button("Menu").click()
    expect(chat.button("Close menu")).to_be_visible()
    assert_accessible(page, "drawer", (PHONE, "light"), (PHONE, "dark"))


def test_list_actions_have_no_axe_violations(alice, chat, provider):
    made, archived = conversation(alice), conversation(alice, "Old")
    alice.post(action_path(archived, "archive"))
    chat.open(f"/c/{archived.pk}/")
    expect(chat.main).to_have_attribute("data-connection", "open")
    page = chat.page
    assert_accessible(page, "an archived conversation")
    page.get_by_role("link", name="Archived").click()
    expect(chat.page.get_by_role("link", name="Back to all conversations")).to_be_visible()
    assert_accessible(page, "archive", (WIDE, "light"), (WIDE, "dark"))
    page.get_by_role("link", name="Back to all conversations").click()
    open_row_menu(chat, "About bees")
    expect(page.locator("#row-menu")).to_be_visible()
    assert_accessible(page, "menu of a conversation", (WIDE, "light"))
    page.locator("#row-menu").get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Title").fill("x" * 300)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="A title can have up to")).to_be_visible()
    assert_accessible(page, "rename, refused", (WIDE, "light"), (WIDE, "dark"))
    page.get_by_role("textbox", name="Title").press("Escape")
    open_row_menu(chat, "About bees").get_by_role("button", name="Delete").click()
    expect(page.locator("#toast")).to_be_visible()
    assert_accessible(page, "toast")
    page.route("**/settings/", lambda route: route.abort())
    page.locator(".user summary").click()
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("#toast")).to_contain_text("cannot be reached")
    assert_accessible(page, "a failure", (WIDE, "light"), (WIDE, "dark"))
    assert made


def test_standalone_pages_have_no_axe_violations(browser, chat, alice, server):
    made = conversation(alice)
    alice.post(action_path(conversation(alice, "Gone"), "delete"))
    for address in (
        "/deleted/",
        "/settings/",
        "/settings/password/",
        action_path(made, "options"),
        "/nowhere/",
        "/search/",
    ):
        assert_accessible(chat.open(address).page, address)
    chat.open("/settings/password/")
    for name, text in (("old_password", "wrong"), ("new_password1", "1"), ("new_password2", "2")):
        chat.page.locator(f"[name={name}]").fill(text)
    chat.button("Change password").click()
    expect(chat.page.locator(".field__error").first).to_be_visible()
    assert_accessible(chat.page, "password, refused")
    context = browser.new_context()
    nobody = Chat(context.new_page(), server).open("/")
    assert_accessible(nobody.page, "sign in")
    nobody.page.locator("[name=username]").fill("nobody")
    nobody.page.locator("[name=password]").fill("wrong")
    nobody.button("Sign in").click()
    expect(nobody.page.get_by_role("alert")).to_be_visible()
    assert_accessible(nobody.page, "sign in, refused")
    context.close()


@pytest.mark.parametrize("template", ["403.html", "403_csrf.html", "500.html", "503.html"])
def test_error_pages_have_no_axe_violations(chat, template, settings):
    """These errors are hard to provoke, so the test renders the pages itself; the server provides their styles."""
    files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": files}
    html = render_to_string(template, {"again": 5})
    chat.page.route("**/fault/", lambda route: route.fulfill(status=503, body=html, content_type="text/html"))
    assert_accessible(chat.open("/fault/").page, template)


@pytest.fixture
def phone(browser, alice, server):
    """Alice's tab on a small phone."""
    context = browser.new_context(viewport=SMALLEST, has_touch=True, is_mobile=True, reduced_motion="reduce")
    sign_in_browser(context, alice)
    yield Chat(context.new_page(), server)
    context.close()


def overflow(page):
    return page.evaluate("document.scrollingElement.scrollWidth - innerWidth")


def size_of(locator):
    box = locator.bounding_box()
    return min(box["width"], box["height"])


def test_page_fits_the_smallest_phone_and_touch_targets(phone, provider):
    begin_answer(phone, provider, "Bees\n\n", BROAD).finish()
    phone.see_status("complete")
    assert overflow(phone.page) <= 0
    expect(phone.box).to_be_in_viewport(ratio=1)
    expect(phone.button("Send")).to_be_in_viewport(ratio=1)
    for name in ("Menu", "Send"):
        assert size_of(phone.button(name)) >= FINGER, name
    for name in ("Copy", "Regenerate"):
        assert size_of(phone.answer.get_by_role("button", name=name, exact=True).last) >= FINGER, name
    assert size_of(phone.page.get_by_label("Model", exact=True)) >= FINGER
    phone.button("Menu").click()
    drawer = phone.page.get_by_role("navigation")
    for control in (phone.button("Close menu"), drawer.locator("[aria-current]"), drawer.get_by_role("link").first):
        assert size_of(control) >= FINGER, control
    assert overflow(phone.page) <= 0


def test_page_fits_at_200_percent_zoom(chat, provider):
    chat.page.set_viewport_size(ZOOMED)
    begin_answer(chat, provider, "Bees\n\n", BROAD).finish()
    chat.see_status("complete")
    assert overflow(chat.page) <= 0
    expect(chat.box).to_be_in_viewport(ratio=1)
    expect(chat.button("Send")).to_be_in_viewport(ratio=1)
    chat.open("/settings/")
    assert overflow(chat.page) <= 0


MOVING = "document.getAnimations().filter(a => a.playState === 'running' && a.effect.getTiming().iterations > 1).length"


def test_reduced_motion_stops_all_animation(chat, phone, provider):
    begin_answer(chat, provider)
    assert chat.page.evaluate(MOVING) > 0
    phone.open(chat.path).see("Bees hum and")
    assert phone.page.evaluate(MOVING) == 0
