"""The list of conversations in a browser, by pointer and keyboard; a refresh disturbs nobody."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from conversations.models import Conversation
from tests.support.browser.actions import begin_answer, open_row_menu
from tests.support.conversations import action_path, conversation


@pytest.fixture
def rows(chat):
    return chat.page.locator("#sidebar-list .row__link")


def test_rename_in_place_with_the_keyboard(chat, alice, rows):
    made = conversation(alice)
    chat.open(f"/c/{made.pk}/")
    chat.page.locator(f"#more-{made.pk}").focus()
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator("#row-menu").get_by_role("button", name="Rename")).to_be_focused()
    chat.page.keyboard.press("Enter")
    field = chat.page.get_by_role("textbox", name="Title")
    expect(field).to_be_focused()
    field.fill("Of wasps")
    field.press("Enter")
    expect(rows).to_have_text(["Of wasps"])
    expect(chat.page.locator("[data-title]")).to_have_text("Of wasps")
    expect(chat.page).to_have_title(re.compile("^Of wasps"))
    assert not chat.complaints


def test_escape_cancels_a_rename(chat, alice, rows):
    conversation(alice)
    chat.open("/")
    open_row_menu(chat, "About bees").get_by_role("button", name="Rename").click()
    field = chat.page.get_by_role("textbox", name="Title")
    field.fill("Of wasps")
    field.press("Escape")
    expect(rows).to_have_text(["About bees"])
    assert Conversation.objects.get(owner=alice.user).title == "About bees"


def test_open_rename_survives_a_refresh(chat, alice, rows):
    conversation(alice)
    other = conversation(alice, "Other")
    chat.open("/")
    expect(chat.main).to_have_attribute("data-connection", "open")
    open_row_menu(chat, "About bees").get_by_role("button", name="Rename").click()
    field = chat.page.get_by_role("textbox", name="Title")
    field.fill("Half a ti")
    with chat.page.expect_response(lambda response: "/sidebar/" in response.url):
        alice.post(action_path(other, "archive"))
    expect(field).to_have_value("Half a ti")
    expect(field).to_be_focused()
    field.press("Enter")
    expect(rows).to_have_text(["Half a ti"])


def test_delete_and_undo(chat, alice, rows):
    made = conversation(alice)
    chat.open(f"/c/{made.pk}/")
    open_row_menu(chat, "About bees").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(0)
    chat.page.wait_for_url(chat.server.url + "/")
    expect(chat.page.locator("#toast")).to_contain_text("“About bees” was deleted.")
    chat.button("Undo").click()
    expect(rows).to_have_text(["About bees"])
    expect(chat.content).to_contain_text("Bees hum")
    expect(chat.page.locator("#toast")).to_be_hidden()
    assert not chat.complaints


def test_pin_and_archive_move_the_row_immediately(chat, alice, rows):
    conversation(alice, "Old")
    conversation(alice, "New")
    chat.open("/")
    expect(rows).to_have_text(["New", "Old"])
    open_row_menu(chat, "Old").get_by_role("button", name="Pin").click()
    expect(rows).to_have_text(["Old", "New"])
    open_row_menu(chat, "New").get_by_role("button", name="Archive").click()
    expect(rows).to_have_text(["Old"])
    chat.page.get_by_role("link", name="Archived").click()
    expect(rows).to_have_text(["New"])
    chat.page.get_by_role("link", name="Back to all conversations").click()
    expect(rows).to_have_text(["Old"])
    assert not chat.complaints


def test_archive_and_undo(chat, alice, rows):
    made = conversation(alice)
    conversation(alice, "Other")
    chat.open(f"/c/{made.pk}/")
    banner = chat.page.get_by_text("This conversation is archived.")
    expect(banner).to_be_hidden()
    open_row_menu(chat, "About bees").get_by_role("button", name="Archive").click()
    toast = chat.page.locator("#toast")
    expect(toast).to_contain_text("“About bees” was archived.")
    expect(chat.page.locator("[data-says]")).to_have_text("“About bees” was archived.")
    expect(banner).to_be_visible()
    expect(rows).to_have_text(["Other"])
    expect(rows).to_be_focused()
    toast.get_by_role("button", name="Undo").click()
    expect(rows).to_have_text(["Other", "About bees"])
    expect(banner).to_be_hidden()
    expect(toast).to_be_hidden()
    assert not chat.complaints


def test_archived_conversation_can_be_unarchived_on_its_page(chat, alice, rows):
    made = conversation(alice)
    alice.post(action_path(made, "archive"))
    chat.open(f"/c/{made.pk}/")
    expect(rows).to_have_count(0)
    chat.button("Unarchive").click()
    expect(rows).to_have_text(["About bees"])
    expect(chat.page.get_by_text("This conversation is archived.")).to_be_hidden()
    assert not chat.complaints


def test_escape_stops_while_a_toast_is_shown(chat, alice, provider):
    conversation(alice)
    exchange = begin_answer(chat, provider)
    open_row_menu(chat, "About bees").get_by_role("button", name="Archive").click()
    toast = chat.page.locator("#toast")
    expect(toast).to_be_visible()
    chat.page.keyboard.press("Escape")
    exchange.wait_closed()
    chat.see_status("interrupted").see_note("You stopped this answer.")
    expect(toast).to_be_visible()


def test_toast_stays_while_pointed_at(chat, alice):
    conversation(alice)
    chat.page.clock.install()
    chat.open("/")
    open_row_menu(chat, "About bees").get_by_role("button", name="Archive").click()
    toast = chat.page.locator("#toast")
    expect(toast).to_be_visible()
    toast.hover()
    chat.page.clock.run_for(21_000)
    expect(toast).to_be_visible()
    chat.page.mouse.move(0, 0)
    chat.page.clock.run_for(6_000)
    expect(toast).to_be_hidden()


def test_refresh_does_not_count_pinned_rows(chat, alice, rows):
    for number in range(3):
        conversation(alice, f"Pinned {number}", pinned_at=timezone.now())
    for number in range(55):
        conversation(alice, f"Number {number}")
    chat.open("/")
    expect(chat.main).to_have_attribute("data-connection", "open")
    for _ in range(2):
        with chat.page.expect_response(lambda response: "rows=50" in response.url):
            chat.page.evaluate("document.body.dispatchEvent(new CustomEvent('sidebar:refresh'))")
        expect(rows).to_have_count(53)


def test_unread_answer_is_marked_until_opened(chat, provider):
    exchange = begin_answer(chat, provider)
    address = chat.path
    chat.page.get_by_role("link", name="New chat").first.click()
    row = chat.page.locator(".row")
    expect(row).to_have_attribute("data-live", "")
    exchange.finish()
    expect(row).to_have_attribute("data-unread", "")
    expect(row.get_by_role("link")).to_have_attribute("aria-description", "New answer")
    expect(chat.page).to_have_title("(1) New chat · Chat")
    chat.reload()
    expect(row).to_have_attribute("data-unread", "")
    row.get_by_role("link").click()
    chat.page.wait_for_url(chat.server.url + address)
    expect(row).not_to_have_attribute("data-unread", "")
    expect(chat.page).not_to_have_title(re.compile(r"^\("))
    assert not chat.complaints


def test_truncated_title_has_a_tooltip(chat, alice, rows):
    conversation(alice, "A title that is much too long for the narrow column of the sidebar")
    conversation(alice, "Short")
    chat.open("/")
    for number, title in enumerate(["", "A title that is much too long for the narrow column of the sidebar"]):
        rows.nth(number).hover()
        expect(rows.nth(number)).to_have_attribute("title", title)


def test_scrolling_loads_more_and_refresh_keeps_the_position(chat, alice, rows):
    made = [conversation(alice, f"Number {number}") for number in range(70)]
    chat.open("/")
    expect(chat.main).to_have_attribute("data-connection", "open")
    expect(rows).to_have_count(50)
    list_ = chat.page.locator("#sidebar-list")
    list_.evaluate("list => list.scrollTop = list.scrollHeight")
    expect(rows).to_have_count(70)
    rows.nth(60).focus()
    top = list_.evaluate("list => list.scrollTop")
    with chat.page.expect_response(lambda response: "rows=70" in response.url):
        alice.post(action_path(made[0], "rename"), title="The last of them")
    expect(rows.nth(69)).to_have_text("The last of them")
    expect(rows.nth(60)).to_be_focused()
    assert list_.evaluate("list => list.scrollTop") == top
    assert not chat.complaints
