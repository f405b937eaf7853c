"""The page around the answers: empty, sidebar, settings, phone, German."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.screenshots import texts
from tests.screenshots.studio import Studio


def empty(studio: Studio) -> None:
    for dark in (False, True):
        with studio.tab(studio.jonas, dark=dark) as chat:
            chat.open()
            expect(chat.main).to_have_attribute("data-connection", "open")
            studio.shoot(chat, "empty" + "-dark" * dark)


def sidebar(studio: Studio) -> None:
    for dark in (False, True):
        with studio.tab(studio.mara, dark=dark) as chat:
            chat.open()
            chat.page.get_by_role("link", name="Birthday poem for Ada").click()
            chat.see_status("complete")
            studio.shoot(chat, "sidebar" + "-dark" * dark)


def settings(studio: Studio) -> None:
    for dark in (False, True):
        with studio.tab(studio.mara, dark=dark) as chat:
            chat.open()
            chat.page.locator(".user summary").click()
            studio.shoot(chat, "user-menu" + "-dark" * dark)
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
            studio.shoot(chat, "phone" + "-dark" * dark)
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


SCENES: list[Callable[[Studio], None]] = [empty, sidebar, settings, phone, sign_in, german]
