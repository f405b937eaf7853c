"""A search hit on a branch that is not on screen opens there, and the branch comes on screen with the next prompt."""

from tests.support.conversations import converse


def test_hit_on_another_branch_stays_in_view_and_can_be_continued(alice, chat, provider):
    conversation, messages = converse(alice, ["question", "first answer"])
    other = converse(alice, ["another question", "another answer"], None, conversation)[1]
    conversation.show(messages[1].pk)
    chat.open(f"/c/{conversation.pk}/?at={other[1].pk}")
    chat.main.and_(chat.page.locator("[data-connection=open]")).wait_for()
    exchange = provider.expect()
    chat.ask(exchange.prompt)
    exchange.write_tokens("Bees hum").finish()
    chat.see("Bees hum").see_status("complete")
    assert exchange.request.contents[-2:] == ["another answer", exchange.prompt]
    assert chat.page.get_by_text("another answer").is_visible()
    assert not chat.page.get_by_text("first answer").is_visible()
    conversation.refresh_from_db()
    assert conversation.head.content == "Bees hum"
