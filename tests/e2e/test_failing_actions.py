"""The page shows every failed action, whether the server refuses it, fails or cannot be reached."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser.actions import open_row_menu
from tests.support.conversations import conversation

FAILED = "That did not work. Try again in a moment."
GONE = "This no longer exists."
UNREACHABLE = "The server cannot be reached. Try again in a moment."


@pytest.fixture
def open_chat(chat, alice):
    """Open a page with one conversation in the list; calling `fail` makes all later requests to an address fail."""
    made = conversation(alice)
    chat.open("/")
    expect(chat.main).to_have_attribute("data-connection", "open")

    def fail(pattern, status):
        answer = (lambda route: route.fulfill(status=status, body="")) if status else (lambda route: route.abort())
        chat.page.route(pattern, answer)
        return chat

    return made, fail


@pytest.mark.parametrize(("status", "sentence"), [(500, FAILED), (404, GONE), (0, UNREACHABLE)])
def test_failed_list_actions_are_shown(open_chat, status, sentence):
    _made, fail = open_chat
    for action in ("Pin", "Archive", "Delete", "Rename"):
        chat = fail(f"**/{action.lower()}/", status)
        open_row_menu(chat, "About bees").get_by_role("button", name=action).click()
        toast = chat.page.locator("#toast")
        expect(toast).to_have_text(sentence)
        expect(chat.page.locator("[data-says]")).to_have_text(re.compile(re.escape(sentence)))
        toast.get_by_role("button", name="Close").click()
        expect(toast).to_be_hidden()
    expect(chat.page.locator("#sidebar-list .row__link")).to_have_text(["About bees"])


def test_failed_menu_is_shown(open_chat):
    made, fail = open_chat
    chat = fail("**/options/", 500)
    row = chat.page.locator(f"#item-{made.pk}")
    row.hover()
    row.get_by_role("button").click()
    expect(chat.page.locator("#toast")).to_contain_text(FAILED)


def test_failed_archive_conversation_and_settings_are_shown(open_chat):
    made, fail = open_chat
    chat = fail("**/sidebar/?archived", 500)
    toast = chat.page.locator("#toast")
    chat.page.get_by_role("link", name="Archived").click()
    expect(toast).to_contain_text(FAILED)
    toast.get_by_role("button", name="Close").click()
    fail(f"**/c/{made.pk}/", 404)
    chat.page.locator("#sidebar-list .row__link").click()
    expect(toast).to_contain_text(GONE)
    toast.get_by_role("button", name="Close").click()
    fail("**/settings/", 0)
    chat.page.locator(".user summary").click()
    chat.page.get_by_role("link", name="Settings").click()
    expect(toast).to_contain_text(UNREACHABLE)


def test_failure_in_a_dialog_is_shown_in_it(open_chat):
    _made, fail = open_chat
    chat = fail("**/search/?q=*", 500)
    chat.page.keyboard.press("Control+k")
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_role("searchbox").press_sequentially("bees", delay=50)
    expect(dialog.get_by_role("status")).to_have_text(FAILED)


def test_back_to_a_deleted_conversation_says_so(open_chat):
    made, fail = open_chat
    chat = fail("**/nowhere", 404)
    chat.page.locator("#sidebar-list .row__link").click()
    expect(chat.content).to_contain_text("Bees hum")
    open_row_menu(chat, "About bees").get_by_role("button", name="Delete").click()
    chat.page.wait_for_url(chat.server.url + "/")
    chat.page.go_back()
    expect(chat.page.locator("#toast")).to_contain_text(GONE)
    expect(chat.page.locator("[data-title]")).to_have_text("New chat")
    chat.page.wait_for_url(chat.server.url + "/")
    assert str(made.pk) not in chat.page.url


def test_back_after_the_session_ended_redirects_to_sign_in(open_chat):
    made, fail = open_chat
    chat = fail("**/nowhere", 404)
    chat.page.locator("#sidebar-list .row__link").click()
    expect(chat.content).to_contain_text("Bees hum")
    chat.page.context.clear_cookies()
    chat.page.go_back()
    expect(chat.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert chat.path == "/accounts/login/"
    assert made
    assert not chat.complaints
