"""The dialog of recently deleted conversations opens over the chat."""

from django.utils import timezone
from playwright.sync_api import expect

from conversations.models import Conversation
from tests.support.browser.accessibility import assert_accessible
from tests.support.conversations import conversation


def test_dialog_restores_and_removes(chat, alice):
    back, gone = (conversation(alice, title, deleted_at=timezone.now()) for title in ("Back", "Gone"))
    chat.open("/")
    expect(chat.main).to_have_attribute("data-connection", "open")
    chat.page.locator("summary.user__name").click()
    chat.page.get_by_role("link", name="Recently deleted").click()
    dialog = chat.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_have_text(["Gone", "Back"])
    assert_accessible(chat.page, "recently deleted")
    dialog.get_by_role("button", name="Restore “Back”").click()
    expect(dialog).to_contain_text("“Back” is back in your list.")
    expect(chat.page.locator("#sidebar-list .row__link")).to_have_text(["Back"])
    dialog.get_by_text("Delete for good").click()
    assert_accessible(chat.page, "asking once more")
    dialog.get_by_role("button", name="Delete now").click()
    expect(dialog).to_contain_text("“Gone” was deleted for good.")
    expect(dialog).to_contain_text("Nothing here.")
    assert [*Conversation.objects.filter(pk__in=[back.pk, gone.pk])] == [back]
    chat.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(chat.main).to_have_attribute("data-connection", "open")
    assert not chat.complaints


def test_page_without_scripts_is_accessible(chat, alice):
    conversation(alice, "Gone", deleted_at=timezone.now())
    chat.page.goto(f"{alice.server.url}/deleted/")
    assert_accessible(chat.page, "recently deleted, on a page of its own")
    chat.page.get_by_role("button", name="Restore “Gone”").click()
    expect(chat.page.get_by_text("Bees hum")).to_be_visible()
