"""A printed conversation contains every message and nothing else."""

import re

import pytest

from conversations.models import Message
from tests.support.conversations import conversation, searchable_messages

CHROME = "#sidebar, .dock, .topbar button, .more, .copy-code, [data-footer] button"
VISIBLE = "all => all.filter(each => each.checkVisibility()).map(each => each.outerHTML.slice(0, 100))"


@pytest.fixture
def long(alice):
    """More messages than a page loads at once; the last but one contains code wider than the paper."""
    wide = f"```python\nx = '{'wide ' * 60}'\n```"
    return searchable_messages(alice, *(f"message number {number}" for number in range(70)), wide, "the end")[
        0
    ].conversation


def test_print_contains_every_message_and_nothing_else(chat, long):
    chat.open(f"/c/{long.pk}/").page.emulate_media(media="print")
    pdf = chat.page.pdf()  # the event that the browser fires before printing loads the rest
    articles = chat.page.locator("article[data-message-id]")
    assert articles.count() == 74
    assert "Tell me notes" in articles.first.inner_text()
    assert chat.page.locator(CHROME).evaluate_all(VISIBLE) == []
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 3
    assert chat.complaints == []


def test_print_fits_the_paper(chat, alice):
    made = conversation(alice)
    wide = f"```python\nx = '{'wide ' * 60}'\n```\n\n| a | b |\n|---|---|\n| {'w' * 80} | {'w' * 80} |"
    made.show(Message.objects.create(conversation=made, parent_id=made.head_id, role="assistant", content=wide).pk)
    chat.page.set_viewport_size({"width": 700, "height": 900})
    chat.open(f"/c/{made.pk}/").page.emulate_media(media="print")
    for selector in ("pre > code", "table"):
        assert chat.page.locator(selector).evaluate("each => each.scrollWidth - each.clientWidth") <= 0, selector
    assert chat.page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0


def test_print_is_dark_on_light_in_any_theme(chat, alice):
    alice.post("/settings/", when_leaving="stop", theme="dark", language="", default_model="")
    chat.open(f"/c/{conversation(alice).pk}/").page.emulate_media(media="print", color_scheme="dark")
    assert chat.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
