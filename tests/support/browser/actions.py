"""Actions that several browser tests share."""

from playwright.sync_api import Locator

from conversations.models import Generation
from tests.support.browser.chat import Chat
from tests.support.provider.exchange import Exchange
from tests.support.provider.server import Provider


def begin_answer(chat: Chat, provider: Provider, *tokens: str) -> Exchange:
    """Ask in a new conversation; returns the exchange once the page shows its first words."""
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens(*(tokens or ("Bees ", "**hum** ", "and")))
    chat.see("Bees")
    return exchange


def shown_generation(chat: Chat) -> str:
    """The id of the generation that wrote the last answer on the page."""
    message = chat.answer.get_attribute("data-message-id") or ""
    return str(Generation.objects.get(message_id=message).pk)


def open_row_menu(chat: Chat, title: str) -> Locator:
    """Open the menu of a conversation in the list."""
    row = chat.page.locator(".row", has_text=title)
    row.hover()
    row.get_by_role("button", name=f"Options for “{title}”").click()
    return chat.page.locator("#row-menu")
