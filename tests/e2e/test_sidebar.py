"""The list of conversations in a browser: by pointer and by keyboard, and undisturbed by what goes on elsewhere."""

import re

import pytest
from playwright.sync_api import expect

from conversations.models import Conversation
from tests.shelves import conversation, path


@pytest.fixture
def rows(chat):
    return chat.page.locator("#sidebar-list .row__link")


def options(chat, title):
    row = chat.page.locator(".row", has_text=title)
    row.hover()
    row.get_by_role("button", name=f"Options for “{title}”").click()
    return chat.page.locator("#row-menu")


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


def test_escape_gives_a_rename_up(chat, alice, rows):
    conversation(alice)
    chat.open("/")
    options(chat, "About bees").get_by_role("button", name="Rename").click()
    field = chat.page.get_by_role("textbox", name="Title")
    field.fill("Of wasps")
    field.press("Escape")
    expect(rows).to_have_text(["About bees"])
    assert Conversation.objects.get(owner=alice.user).title == "About bees"


def test_a_rename_survives_what_happens_elsewhere(chat, alice, rows):
    conversation(alice)
    other = conversation(alice, "Other")
    chat.open("/")
    expect(chat.main).to_have_attribute("data-connection", "open")
    options(chat, "About bees").get_by_role("button", name="Rename").click()
    field = chat.page.get_by_role("textbox", name="Title")
    field.fill("Half a ti")
    with chat.page.expect_response(lambda response: "/sidebar/" in response.url):
        alice.post(path(other, "archive"))
    expect(field).to_have_value("Half a ti")
    expect(field).to_be_focused()
    field.press("Enter")
    expect(rows).to_have_text(["Half a ti"])


def test_delete_and_undo(chat, alice, rows):
    made = conversation(alice)
    chat.open(f"/c/{made.pk}/")
    options(chat, "About bees").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(0)
    chat.page.wait_for_url(chat.server.url + "/")
    expect(chat.page.locator("#toast")).to_contain_text("“About bees” was deleted.")
    chat.button("Undo").click()
    expect(rows).to_have_text(["About bees"])
    expect(chat.content).to_contain_text("Bees hum")
    expect(chat.page.locator("#toast")).to_be_hidden()
    assert not chat.complaints


def test_pin_and_archive_move_it_at_once(chat, alice, rows):
    conversation(alice, "Old")
    conversation(alice, "New")
    chat.open("/")
    expect(rows).to_have_text(["New", "Old"])
    options(chat, "Old").get_by_role("button", name="Pin").click()
    expect(rows).to_have_text(["Old", "New"])
    options(chat, "New").get_by_role("button", name="Archive").click()
    expect(rows).to_have_text(["Old"])
    chat.page.get_by_role("link", name="Archived").click()
    expect(rows).to_have_text(["New"])
    chat.page.get_by_role("link", name="Back to all conversations").click()
    expect(rows).to_have_text(["Old"])
    assert not chat.complaints


def test_scrolling_brings_more_and_a_refresh_keeps_the_place(chat, alice, rows):
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
        alice.post(path(made[0], "rename"), title="The last of them")
    expect(rows.nth(69)).to_have_text("The last of them")
    expect(rows.nth(60)).to_be_focused()
    assert list_.evaluate("list => list.scrollTop") == top
    assert not chat.complaints
