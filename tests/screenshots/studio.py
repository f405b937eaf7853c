"""The database, provider, server, browser and people that screenshots need."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import Browser, expect

from tests.screenshots import seeded_history
from tests.support import servers
from tests.support.browser.chat import Chat, chromium, sign_in_browser
from tests.support.database import Database
from tests.support.people import Person, new_session
from tests.support.provider.exchange import Exchange
from tests.support.provider.server import Provider
from tests.support.servers import Server

FOLDER = servers.REPOSITORY / "docs" / "screenshots"
MAX_BYTES = 150_000
"""The largest screenshot in bytes."""
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
SETTINGS = {"CHAT_FIRST_TOKEN_TIMEOUT": 60, "CHAT_SILENCE_TIMEOUT": 60}
# Every screenshot shows the same time of day, so that two runs create the same image.
STILL = """() => {
    for (const time of document.querySelectorAll(".message local-time time")) time.textContent = "14:32"
    document.activeElement?.matches(":focus-visible:not(textarea, input)") && document.activeElement.blur()
}"""


@dataclass
class Studio:
    server: Server
    provider: Provider
    browser: Browser
    mara: Person
    """Has a history."""
    jonas: Person
    """Is new."""

    @classmethod
    @contextmanager
    def built(cls) -> Iterator["Studio"]:
        database = Database()
        call_command("migrate", verbosity=0)
        provider = Provider()
        seeded_history.offer_models(provider.url)
        try:
            with servers.running(OPENAI_BASE_URL=provider.url, **SETTINGS) as server, chromium() as browser:
                mara = account("mara", server, is_staff=True, is_superuser=True)
                seeded_history.converse(mara.user)
                yield cls(server, provider, browser, mara, account("jonas", server))
        finally:
            connections.close_all()
            provider.stop()
            database.stop()

    @contextmanager
    def tab(self, person: Person, *, phone: bool = False, dark: bool = False, **options: Any) -> Iterator[Chat]:
        look: dict[str, Any] = {"viewport": PHONE if phone else WIDE, "color_scheme": "dark" if dark else "light"}
        if phone:
            look |= {"has_touch": True, "is_mobile": True}
        context = self.browser.new_context(**{"locale": "en-GB", "timezone_id": "Europe/Berlin", **look, **options})
        sign_in_browser(context, person)
        try:
            yield Chat(context.new_page(), self.server)
        finally:
            context.close()

    def asked(self, chat: Chat, prompt: str, *pieces: str, path: str = "/") -> Exchange:
        """Ask in a new conversation; returns the exchange once the page shows the text of the answer."""
        exchange = self.provider.expect(prompt)
        chat.open(path).ask(prompt)
        exchange.wait_opened()
        if pieces:
            exchange.write_tokens(*pieces)
        return exchange

    def answered(self, chat: Chat, prompt: str, answer: str, path: str = "/") -> None:
        self.asked(chat, prompt, *tokens(answer), path=path).finish(usage=(36 + len(prompt) // 4, len(answer) // 4))
        chat.see_status("complete")

    def shoot(self, chat: Chat, name: str) -> None:
        page = chat.page
        page.mouse.move(0, 0)
        if page.locator("#sidebar-list").count() and chat.path != "/":  # the list shows a new conversation later
            expect(page.locator(f"#sidebar-list a[href='{chat.path}']")).to_have_attribute("aria-current", "page")
            if not page.locator("article[data-status=streaming]").count():
                expect(page.locator("#sidebar-list [data-live]")).to_have_count(0)
        page.evaluate(STILL)
        path = FOLDER / f"{name}.png"
        page.screenshot(path=path, animations="disabled")
        size = path.stat().st_size
        assert size <= MAX_BYTES, f"{path.name} has {size:,} bytes"
        print(f"{path.relative_to(servers.REPOSITORY)}  {size:,}", flush=True)


def account(name: str, server: Server, **fields: Any) -> Person:
    password = secrets.token_urlsafe(12)
    user = get_user_model()._default_manager.create_user(name, password=password, **fields)
    return Person(user, password, server, new_session(user))


def tokens(text: str) -> list[str]:
    """A text in tokens, as a model writes it."""
    return [text[at : at + 24] for at in range(0, len(text), 24)]
