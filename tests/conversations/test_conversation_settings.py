"""The system prompt and temperature of a conversation are stored, sent to the model, and refused when invalid."""

from urllib.parse import urlencode

import pytest

from conversations.models import Conversation
from tests.support.people import CSRF

PIRATE = "Speak like a pirate."


def save(person, conversation, **fields):
    """Save the settings as the dialog does."""
    return person.request("POST", f"/c/{conversation}/instructions/", urlencode(fields), headers(person))


def headers(person):
    return {
        "HX-Request": "true",
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": person.server.url,
        "X-CSRFToken": CSRF,
    }


@pytest.fixture
def asked(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    return a


def stored(asked):
    conversation = Conversation.objects.get(pk=asked.asked.conversation)
    return conversation.system_prompt, conversation.temperature


def test_settings_apply_from_the_next_answer(alice, asked, provider):
    assert "temperature" not in asked.exchange.request.body
    page = save(alice, asked.asked.conversation, system_prompt=PIRATE, temperature="0.5")
    assert page.status == 200
    assert "Applies from your next message." in page.text
    second = provider.expect()
    asked.page.ask(second.prompt, after=asked.asked)
    assert second.request.messages[0] == {"role": "system", "content": PIRATE}
    assert second.request.body["temperature"] == 0.5
    second.finish()
    assert PIRATE in alice.request("GET", f"/c/{asked.asked.conversation}/instructions/", headers=headers(alice)).text


def test_new_chat_starts_with_its_settings(alice, socket, provider):
    exchange = provider.expect()
    page = socket(alice)
    asked = page._command("send", content=exchange.prompt, system_prompt=PIRATE, temperature=0)
    assert exchange.request.messages[0] == {"role": "system", "content": PIRATE}
    assert exchange.request.body["temperature"] == 0
    exchange.finish()
    conversation = Conversation.objects.get(pk=asked.conversation)
    assert (conversation.system_prompt, conversation.temperature) == (PIRATE, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": "2.1"},
        {"temperature": "-1"},
        {"temperature": "warm"},
        {"temperature": "nan"},
        {"system_prompt": "x" * 8001},
        {"system_prompt": "a\0b"},
    ],
)
def test_invalid_settings_are_refused(alice, asked, fields):
    page = save(alice, asked.asked.conversation, **fields)
    assert page.status == 200
    assert "field__error" in page.html
    assert stored(asked) == ("", None)


@pytest.mark.parametrize("fields", [{"temperature": 2.1}, {"temperature": -1}, {"system_prompt": "x" * 8001}])
def test_invalid_settings_of_a_new_chat_are_refused(alice, socket, provider, fields):
    page = socket(alice)
    asked = page._command("send", content=provider.expect().prompt, **fields)
    assert page.wait_refused("malformed", id=asked.id)["sentence"].startswith(("Temperature: ", "System prompt: "))
    assert not Conversation.objects.filter(owner=alice.user).exists()


def test_other_peoples_settings_are_not_found(alice, bob, asked):
    save(alice, asked.asked.conversation, system_prompt=PIRATE)
    assert save(bob, asked.asked.conversation, system_prompt="mine").status == 404
    assert bob.request("GET", f"/c/{asked.asked.conversation}/instructions/", headers=headers(bob)).status == 404
    assert save(alice.without_session(), asked.asked.conversation, system_prompt="mine").status == 302
    assert stored(asked) == (PIRATE, None)


def test_settings_of_a_deleted_conversation_are_not_found(alice, asked):
    Conversation.objects.filter(pk=asked.asked.conversation).update(deleted_at="2026-01-01T00:00Z")
    assert save(alice, asked.asked.conversation, system_prompt=PIRATE).status == 404


def test_last_of_two_tabs_wins_and_the_other_sees_it(alice, asked):
    save(alice, asked.asked.conversation, system_prompt="first")
    save(alice, asked.asked.conversation, system_prompt="second", temperature="1")
    page = alice.request("GET", f"/c/{asked.asked.conversation}/instructions/", headers=headers(alice))
    assert "second" in page.text
    assert stored(asked) == ("second", 1)
