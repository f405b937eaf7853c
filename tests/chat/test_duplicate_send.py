"""A page may repeat a send when it does not know whether it arrived: the prompt is sent only once."""

import pytest

from conversations.models import Message
from tests.support import generations


@pytest.fixture
def command(provider):
    """Returns the fields of a send and the exchange that answers it."""
    exchange = provider.expect()
    return {"id": "5f0c5f56-7f0a-4a35-9d6e-3b1b7a7e0000", "content": exchange.prompt}, exchange


def test_same_command_twice_asks_once(alice, socket, command, provider):
    fields, exchange = command
    page = socket(alice)
    page.send("send", **fields)
    page.send("send", **fields)
    generation = page.wait("transcript", id=fields["id"])["generation"]
    exchange.write_tokens("Once.").finish()
    assert page.wait("end")["generation"] == generation
    assert len(provider.asked(exchange.prompt)) == 1
    assert Message.objects.filter(content=exchange.prompt).count() == 1


def test_repeat_on_another_socket_shows_the_same_answer(alice, socket, command, provider):
    fields, exchange = command
    first = socket(alice)
    first.send("send", **fields)
    shown = first.wait("transcript", id=fields["id"])
    exchange.write_tokens("Once")
    second = socket(alice)
    second.send("send", **fields)
    again = second.wait("transcript", id=fields["id"])
    assert (again["conversation"], again["generation"]) == (shown["conversation"], shown["generation"])
    exchange.finish()
    assert second.wait("end")["status"] == "complete"
    assert len(provider.asked(exchange.prompt)) == 1


def test_repeat_after_the_end_shows_the_end(alice, socket, command, provider):
    fields, exchange = command
    page = socket(alice)
    page.send("send", **fields)
    exchange.write_tokens("Once.").finish()
    page.wait("end")
    position = page.send("send", **fields)
    shown = page.wait("transcript", after=position, id=fields["id"])
    assert 'data-status="complete"' in shown["html"]
    assert shown["generation"] is None
    assert len(provider.asked(exchange.prompt)) == 1


def test_same_id_from_another_person_is_a_different_send(alice, bob, socket, command, provider):
    fields, exchange = command
    other = provider.expect(exchange.prompt)
    page, others = socket(alice), socket(bob)
    page.send("send", **fields)
    exchange.write_tokens("For Alice.").finish()
    page.wait("end")
    others.send("send", **fields)
    other.write_tokens("For Bob.").finish()
    end = others.wait("end")
    assert generations.text(end["generation"]) == "For Bob."
