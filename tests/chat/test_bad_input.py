"""Bad input is refused with a sentence, and the connection keeps working."""

import json
import uuid
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from conversations.models import Conversation, Generation
from tests.support import generations

ID = "018f4f4e-0000-7000-8000-000000000000"
NOT_COMMANDS = {
    "not JSON": "hello",
    "cut off": '{"op": "send", "content": "x',
    "empty": "",
    "binary": b'{"op": "ack", "received": 1}',
    "a list": "[]",
    "a number": "17",
    "null": "null",
    "no op": "{}",
    "nested deep": "[" * 60_000,
    "nested deep inside": '{"op": "watch", "conversation": ' + "[" * 30_000 + "]" * 30_000 + "}",
    "half a surrogate": '{"op": "send", "id": "' + ID + '", "content": "\\ud800"}',
}
MALFORMED = {
    "unknown field": {"op": "watch", "conversation": None, "color": "red"},
    "missing field": {"op": "send", "id": ID},
    "missing id": {"op": "send", "content": "hello"},
    "number for text": {"op": "send", "id": ID, "content": 17},
    "list for text": {"op": "send", "id": ID, "content": ["hello"]},
    "null for text": {"op": "send", "id": ID, "content": None},
    "no UUID": {"op": "regenerate", "id": ID, "message": "17"},
    "text for a number": {"op": "ack", "received": "many"},
    "stop of nothing": {"op": "stop"},
    "stop of two things": {"op": "stop", "generation": ID, "id": ID},
}


def works(page, provider):
    """The connection still works."""
    exchange = provider.expect()
    asked = page.ask(exchange.prompt)
    exchange.write_tokens("Still here.").finish()
    return asked.outcome == ("complete", "finished")


@pytest.mark.parametrize("data", NOT_COMMANDS.values(), ids=NOT_COMMANDS)
def test_malformed_frame_is_refused(alice, socket, provider, data):
    page = socket(alice)
    refused = page.wait("refused", after=page.send_raw(data))
    assert refused["code"] in ("malformed", "unknown_op")
    assert refused["sentence"]
    assert works(page, provider)


@pytest.mark.parametrize("command", MALFORMED.values(), ids=MALFORMED)
def test_command_with_wrong_fields_is_refused(alice, socket, provider, command):
    page = socket(alice)
    refused = page.wait_refused("malformed", after=page.send_raw(json.dumps(command)), refers=command["op"])
    assert refused["id"] == command.get("id")
    assert works(page, provider)


@pytest.mark.parametrize("op", ["sing", "", "SEND", "hello", "refused"])
def test_unknown_command_is_refused(alice, socket, provider, op):
    page = socket(alice)
    page.wait_refused("unknown_op", after=page.send(op))
    assert works(page, provider)


@pytest.mark.parametrize("content", ["", " ", "\n\t \n", "\u2003"])
def test_empty_prompt_is_refused(alice, socket, content):
    page = socket(alice)
    asked = page.ask(content)
    page.wait_refused("empty", id=asked.id, refers="send")
    assert not Conversation.objects.filter(owner=alice.user).exists()


def test_overlong_prompt_is_refused_with_the_limit(alice, socket, provider):
    page = socket(alice)
    refused = page.wait_refused("too_long", id=page.ask("x" * 32_001).id)
    assert "32,000" in refused["sentence"] or "32000" in refused["sentence"]
    assert not Conversation.objects.filter(owner=alice.user).exists()
    assert works(page, provider)


def test_longest_allowed_prompt_is_sent(alice, socket, provider):
    exchange = provider.expect()
    prompt = exchange.prompt + "🐝" * (32_000 - len(exchange.prompt))
    asked = socket(alice).ask(prompt)
    assert exchange.request.contents[-1] == prompt
    exchange.write_tokens("Long.").finish()
    assert asked.outcome == ("complete", "finished")


def test_longest_prompt_of_escaped_characters_is_sent(alice, socket, provider):
    """Each character takes six bytes of JSON."""
    exchange = provider.expect()
    prompt = exchange.prompt + "\x07" * (32_000 - len(exchange.prompt))
    asked = socket(alice).ask(prompt)
    exchange.write_tokens("Long.").finish()
    assert asked.outcome == ("complete", "finished")


def test_oversized_frame_closes_only_its_socket(alice, socket, provider):
    page = socket(alice)
    page.send_raw(json.dumps({"op": "send", "id": ID, "content": "x" * 300_000}))
    assert page.wait_closed() == 1009
    assert works(socket(alice), provider)


def test_prompt_with_unstorable_characters_is_refused(alice, socket, provider):
    page = socket(alice)
    page.wait_refused("malformed", id=page.ask("Bees\0hum").id)
    assert not Conversation.objects.filter(owner=alice.user).exists()
    assert works(page, provider)


def test_control_characters_are_harmless(alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(f"{exchange.prompt}\x07\u202e\x1b[31m")
    exchange.write_tokens("Fine.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.get(asked).message.parent.content == exchange.request.contents[-1]


@pytest.mark.parametrize("op", ["send", "edit", "regenerate", "continue"])
def test_other_peoples_ids_are_refused_like_unknown_ones(alice, bob, answering, socket, op):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    page = socket(bob)

    def sentence(conversation, message):
        fields = {"conversation": conversation} if op == "send" else {"message": message}
        content = {"content": "Mine now"} if op in ("send", "edit") else {}
        position = page.send(op, id=str(uuid.uuid4()), **fields, **content)
        return page.wait_refused("not_found", after=position)["sentence"]

    question = str(generations.get(a.asked).message.parent_id)
    theirs = sentence(a.asked.conversation, question if op == "edit" else a.asked.message)
    assert theirs == sentence(str(uuid.uuid4()), str(uuid.uuid4()))
    assert Generation.objects.filter(conversation=a.asked.conversation).count() == 1


def test_watching_other_peoples_conversation_is_refused(alice, bob, answering, socket):
    a = answering(alice)
    page = socket(bob)
    sentences = set()
    for conversation in (a.asked.conversation, str(uuid.uuid4())):
        position = page.send("watch", conversation=conversation)
        sentences.add(page.wait_refused("not_found", after=position, refers="watch")["sentence"])
    assert len(sentences) == 1
    a.exchange.write_tokens(" secretly").finish()
    assert a.asked.end
    assert page.count("delta") == page.count("snapshot") == 0


def test_parent_from_another_conversation_is_refused(alice, answering, provider):
    first, second = answering(alice), answering(alice)
    for each in (first, second):
        each.exchange.finish()
        assert each.asked.end
    asked = first.page.ask("Hello", conversation=first.asked.conversation, parent=second.asked.message)
    first.page.wait_refused("not_found", id=asked.id)


def test_model_that_is_not_offered_is_refused(alice, socket, provider):
    page = socket(alice)
    refused = page.wait_refused("model_not_offered", id=page.ask("Hello", model="gamma-model").id)
    assert "gamma-model" in refused["sentence"]
    assert works(page, provider)


def test_second_prompt_replaces_the_streaming_answer(alice, answering, provider):
    a = answering(alice)
    following = provider.expect()
    asked = a.page.ask(following.prompt, after=a.asked)
    a.exchange.wait_closed(2)
    following.write_tokens("Next.").finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.outcome(a.asked) == ("interrupted", "superseded")
    assert generations.text(a.asked) == "Bees hum"


def test_too_many_concurrent_answers_are_refused(alice, socket, provider):
    page = socket(alice)
    exchanges = [provider.expect() for _ in range(3)]
    pages = [socket(alice) for _ in exchanges]
    asked = [each.ask(exchange.prompt) for each, exchange in zip(pages, exchanges, strict=True)]
    for exchange in exchanges:
        exchange.wait_opened()
    refused = page.wait_refused("too_many", id=page.ask("One more").id)
    assert "3" in refused["sentence"]
    for exchange in exchanges:
        exchange.write_tokens("Yes.").finish()
    assert all(each.outcome == ("complete", "finished") for each in asked)
    assert works(page, provider)


def test_flood_closes_only_its_socket(alice, socket, provider):
    page = socket(alice)
    with suppress(ConnectionClosed):
        for _ in range(5_000):
            page.send("watch", conversation=None)
    assert page.wait_closed() == 4429
    assert works(socket(alice), provider)
