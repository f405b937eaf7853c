"""The whole life of an answer in Firefox."""

import pytest

from tests.support.browser.firefox import ENTER, TAB, firefox

ANSWER = "article[data-role=assistant]"


@pytest.fixture
def tab(tmp_path):
    with firefox(tmp_path) as tab:
        yield tab


def test_sign_in_ask_stop_reload_continue_and_edit(tab, alice, server, provider):
    tab.open(f"{server.url}/").click("textbox", "Username").type(alice.user.username + TAB + alice.password + ENTER)
    tab.see("main[data-connection=open]")

    exchange = provider.expect()
    tab.click("textbox", "Message").type(exchange.prompt + ENTER)
    exchange.write_tokens("Bees ", "**hum** ", "and")
    tab.see(f"{ANSWER}[data-status=streaming]", "Bees hum and")
    tab.click("button", "Stop generating")
    exchange.wait_closed()
    tab.see(f"{ANSWER}[data-status=interrupted] [data-note]", "You stopped this answer.")

    tab.reload().see(f"{ANSWER}[data-status=interrupted]", "Bees hum and").see("main[data-connection=open]")
    rest = provider.expect(exchange.prompt)
    tab.click("button", "Continue generating")
    rest.write_tokens(" dance.").finish()
    tab.see(f"{ANSWER}[data-status=complete]", "Bees hum and dance.")

    edited = provider.expect(exchange.prompt + "?")
    tab.click("button", "Edit").see("[data-editor]").type("?" + ENTER)
    edited.write_tokens("Wasps sting").finish()
    tab.see(f"{ANSWER}[data-status=complete]", "Wasps sting").see("article[data-role=user]", exchange.prompt + "?")
    assert tab.complaints == []
