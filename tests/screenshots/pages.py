"""Screenshots of the rest of the page: empty, sidebar, settings, phone, German."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.screenshots import texts
from tests.screenshots.studio import Studio
from tests.support.browser.chat import Chat


def empty(studio: Studio) -> None:
    for dark in (False, True):
        with studio.tab(studio.jonas, dark=dark) as chat:
            chat.open()
            expect(chat.main).to_have_attribute("data-connection", "open")
            studio.shoot(chat, "empty" + "-dark" * dark)


def sidebar(studio: Studio) -> None:
    with studio.tab(studio.mara) as chat:
        _open(chat, "Birthday poem for Ada")
        studio.shoot(chat, "sidebar")


def list_of_conversations(studio: Studio) -> None:
    """What people can do with a conversation: its menu with the export, rename, delete and archive."""
    with studio.tab(studio.mara) as chat:
        _open(chat, "Birthday poem for Ada")
        row = chat.page.locator(".row", has_text="Names for a small grey cat")
        row.hover()
        row.get_by_role("button").click()
        expect(chat.page.locator("#row-menu")).to_be_visible()
        studio.shoot(chat, "menu")
        chat.page.locator("#row-menu").get_by_role("button", name="Rename").click()
        expect(chat.page.locator(".row__title")).to_be_focused()
        studio.shoot(chat, "rename")
        chat.page.keyboard.press("Escape")
        expect(chat.page.locator(".row__title")).to_have_count(0)
        chat.page.wait_for_load_state("networkidle")
        row.hover()
        row.get_by_role("button").click()
        chat.page.locator("#row-menu").get_by_role("button", name="Delete").click()
        expect(chat.page.locator("#toast")).to_be_visible()
        expect(row).to_have_count(0)
        studio.shoot(chat, "deleted")
        chat.button("Undo").click()
        expect(row).to_be_visible()


def instructions(studio: Studio) -> None:
    with studio.tab(studio.mara) as chat:
        _open(chat, "Birthday poem for Ada")
        chat.button("Conversation settings").click()
        dialog = chat.page.get_by_role("dialog")
        dialog.get_by_role("textbox").first.fill(texts.SYSTEM_PROMPT)
        studio.shoot(chat, "options")


def search(studio: Studio) -> None:
    for look in ({}, {"dark": True}, {"phone": True}):
        with studio.tab(studio.mara, **look) as chat:
            chat.open()
            expect(chat.main).to_have_attribute("data-connection", "open")
            chat.page.keyboard.press("Control+k")
            expect(chat.page.get_by_role("searchbox")).to_be_focused()
            chat.page.wait_for_load_state("networkidle")
            chat.page.keyboard.type("children")
            expect(chat.page.locator(".hit").first).to_be_visible()
            studio.shoot(chat, "-".join(["search", *look]))


def _open(chat: Chat, title: str) -> None:
    chat.open()
    chat.page.get_by_role("link", name=title).click()
    chat.see_status("complete")


def settings(studio: Studio) -> None:
    for dark in (False, True):
        with studio.tab(studio.mara, dark=dark) as chat:
            chat.open()
            chat.page.locator(".user summary").click()
            chat.page.get_by_role("link", name="Settings").click()
            expect(chat.page.get_by_role("dialog")).to_be_visible()
            studio.shoot(chat, "settings" + "-dark" * dark)
    with studio.tab(studio.mara, phone=True) as chat:
        chat.open("/settings/")
        studio.shoot(chat, "settings-phone")
        chat.open("/settings/password/")
        studio.shoot(chat, "password-phone")


def phone(studio: Studio) -> None:
    for dark in (False, True):
        with studio.tab(studio.mara, phone=True, dark=dark) as chat:
            chat.open()
            if not dark:
                studio.shoot(chat, "phone")
            chat.button("Menu").click()
            studio.shoot(chat, "phone-drawer" + "-dark" * dark)


def sign_in(studio: Studio) -> None:
    with studio.tab(studio.mara.without_session()) as chat:
        chat.page.context.clear_cookies()
        chat.open("/accounts/login/")
        studio.shoot(chat, "sign-in")


def german(studio: Studio) -> None:
    with studio.tab(studio.jonas, locale="de-DE") as chat:
        exchange = studio.provider.expect(texts.GERMAN)
        chat.open()
        expect(chat.main).to_have_attribute("data-connection", "open")
        chat.page.locator("#prompt").fill(texts.GERMAN)
        chat.page.locator("#prompt").press("Enter")
        exchange.write_tokens(texts.GERMAN_ANSWER[:-12])
        chat.see("umstritten")
        chat.page.locator("#prompt").press("Escape")
        chat.see_status("interrupted")
        studio.shoot(chat, "german")


SCENES: list[Callable[[Studio], None]] = [
    empty,
    sidebar,
    list_of_conversations,
    instructions,
    search,
    settings,
    phone,
    sign_in,
    german,
]
