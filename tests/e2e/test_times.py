"""Pages show times in the reader's time zone and in the page's language."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from conversations.models import Message
from tests.support.browser.chat import Chat, sign_in_browser
from tests.support.conversations import conversation, searchable_messages

KIRITIMATI = "Pacific/Kiritimati"  # UTC+14


@pytest.fixture
def far_away(browser, alice, server):
    """Alice's tab in a German browser on the other side of the world."""
    context = browser.new_context(timezone_id=KIRITIMATI, locale="de-DE")
    sign_in_browser(context, alice)
    yield Chat(context.new_page(), server)
    context.close()


def test_list_is_grouped_by_days_in_the_browsers_zone(far_away, alice):
    here = timezone.localtime(timezone=ZoneInfo(KIRITIMATI))
    midnight = datetime.combine(here.date(), datetime.min.time(), here.tzinfo)
    conversation(alice, "early", ago=timezone.now() - midnight - timedelta(seconds=1))
    conversation(alice, "late", ago=timezone.now() - midnight + timedelta(seconds=1))
    far_away.open("/")
    expect(far_away.page.locator(".group__label")).to_have_text(["Heute", "Gestern"])
    far_away.reload()
    assert far_away.page.locator(".group__label").all_inner_texts() == ["Heute", "Gestern"]
    (cookie,) = [each for each in far_away.page.context.cookies() if each["name"] == "timezone"]
    assert (cookie["value"], cookie["sameSite"]) == (KIRITIMATI, "Lax")


def test_dates_use_the_pages_language_and_show_the_year(far_away, alice):
    (message,) = searchable_messages(alice, "a lonely axolotl")
    at = datetime(2019, 3, 4, 20, 0, tzinfo=ZoneInfo("UTC"))
    Message.objects.create(
        conversation=message.conversation, parent=message, role="user", content="an old axolotl", created_at=at
    )
    message.conversation.show(message.conversation.messages.get(content="an old axolotl").pk)
    far_away.open(f"/c/{message.conversation_id}/")
    expect(far_away.page.locator("local-time").last).to_have_text("5. März 2019")
    expect(far_away.page.locator("local-time").first).to_have_text(re.compile(r"^\d\d:\d\d$"))
