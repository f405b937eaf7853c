"""Drives the chat in a real browser, by the names that people and assistive technology use."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Locator, Page, expect, sync_playwright

from tests.support.people import Person
from tests.support.polling import TIMEOUT
from tests.support.servers import Server

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
expect.set_options(timeout=TIMEOUT * 1000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own if there is none."""
    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system, args=CHROMIUM_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def sign_in_browser(context: BrowserContext, person: Person) -> None:
    """Sign a browser in without the form."""
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": person.session, "url": person.server.url}])


class Chat:
    """One tab. Records the page's requests, the complaints of its scripts, and the dialogs that opened."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        page.set_default_timeout(TIMEOUT * 1000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", self._dismiss)

    # Navigation.

    def open(self, path: str = "/") -> "Chat":
        self.page.goto(self.server.url + path)
        return self

    def sign_in(self, person: Person) -> "Chat":
        self.open("/accounts/login/")
        self.page.locator("[name=username]").fill(person.user.username)
        self.page.locator("[name=password]").fill(person.password)
        self.page.locator("[name=password]").press("Enter")
        self.page.wait_for_url(lambda url: "/accounts/login/" not in url)
        return self

    def reload(self) -> "Chat":
        self.page.reload()
        return self

    def close(self) -> None:
        """Close the tab as a person does."""
        self.page.close(run_before_unload=False)

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    # What the page shows.

    @property
    def main(self) -> Locator:
        return self.page.locator("main[data-connection]")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def answers(self) -> Locator:
        return self.page.locator("article[data-role=assistant]")

    @property
    def answer(self) -> Locator:
        """The last answer on the page."""
        return self.answers.last

    @property
    def content(self) -> Locator:
        return self.answer.locator("[data-content]")

    @property
    def note(self) -> Locator:
        return self.answer.locator("[data-note]")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    # Actions.

    def ask(self, text: str) -> "Chat":
        expect(self.main).to_have_attribute("data-connection", "open")
        self.box.fill(text)
        self.button("Send").click()
        return self

    def stop(self) -> float:
        """Press Stop; returns when (`time.monotonic()`)."""
        button = self.button("Stop generating")
        expect(button).to_be_visible()
        pressed = time.monotonic()
        button.click()
        return pressed

    def regenerate(self) -> "Chat":
        return self._press_under_answer("Regenerate")

    def continue_(self) -> "Chat":
        return self._press_under_answer("Continue generating")

    def _press_under_answer(self, name: str) -> "Chat":
        self.answer.hover()
        self.answer.get_by_role("button", name=name, exact=True).click()
        return self

    # Waiting.

    def see(self, text: str) -> "Chat":
        """Wait until the last answer contains this text."""
        expect(self.content).to_contain_text(text)
        return self

    def see_status(self, status: str) -> "Chat":
        expect(self.answer).to_have_attribute("data-status", status)
        return self

    def see_note(self, sentence: str) -> "Chat":
        expect(self.note).to_contain_text(sentence)
        return self

    def foreign_requests(self) -> list[str]:
        """All requests to other origins than the server's."""
        own = (self.server.url + "/", "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(own)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()
