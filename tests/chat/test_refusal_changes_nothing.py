"""A refused command changes nothing: a streaming answer continues, and nothing is sent to the provider."""

import uuid

import pytest

from tests.support import generations, model_admin, people


def unknown_model(a, _complete):
    return "send", {"conversation": a.asked.conversation, "parent": a.asked.message, "content": "x", "model": "none"}


def unknown_parent(a, _complete):
    return "send", {"conversation": a.asked.conversation, "parent": str(uuid.uuid4()), "content": "x"}


def continuing_a_complete_answer(_a, complete):
    return "continue", {"message": complete}


def continuing_a_streaming_answer(a, _complete):
    return "continue", {"message": a.asked.message}


def editing_an_answer(a, _complete):
    return "edit", {"message": a.asked.message, "content": "x"}


def regenerating_a_prompt(a, _complete):
    return "regenerate", {"message": str(generations.get(a.asked).message.parent_id)}


COMMANDS = [
    (unknown_model, "model_not_offered"),
    (unknown_parent, "not_found"),
    (continuing_a_complete_answer, "not_possible"),
    (continuing_a_streaming_answer, "not_possible"),
    (editing_an_answer, "not_possible"),
    (regenerating_a_prompt, "not_possible"),
]


@pytest.fixture
def second(alice, answering, provider):
    """The second answer of a conversation, which is streaming, and the message of the first."""
    a = answering(alice)
    a.exchange.finish()
    complete = a.asked.message
    assert a.asked.end
    exchange = provider.expect()
    asked = a.page.ask(exchange.prompt, after=a.asked)
    exchange.write_tokens("Wasps ")
    asked.wait_text("Wasps")
    return type(a)(a.page, asked, exchange), complete


@pytest.mark.parametrize(("command", "code"), COMMANDS)
def test_refused_command_leaves_the_streaming_answer_alone(second, command, code):
    a, complete = second
    op, fields = command(a, complete)
    key = str(uuid.uuid4())
    position = a.page.send(op, id=key, **fields)
    a.page.wait_refused(code, after=position, id=key, refers=op)
    a.exchange.write_tokens("sting.").finish()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == "Wasps sting."


def test_prompt_too_long_for_the_model_is_refused(alice, answering, provider):
    a = answering(alice)
    with model_admin.offered(provider.url, "small-model", context_window=20) as (_endpoint, [small]):
        model_admin.wait_offered(alice, small.key)
        asked = a.page.ask("bees " * 100, a.asked.conversation, a.asked.message, small.key)
        a.page.wait_refused("too_long", id=asked.id)
    a.exchange.write_tokens(" on").finish()
    assert a.asked.outcome == ("complete", "finished")


def test_replaced_answer_does_not_count_towards_the_limit(alice, answering, provider, start_server):
    a = answering(alice.at(start_server(CHAT_MAX_CONCURRENT=1)))
    following = provider.expect()
    asked = a.page.ask(following.prompt, after=a.asked)
    following.write_tokens("Next.").finish()
    assert asked.outcome == ("complete", "finished")


# --- unforeseen failures ----------------------------------------------------------------------------------------------


def test_answer_that_cannot_start_ends_visibly(start_server, socket):
    """No client can be created for the endpoint's address."""
    person = people.new_person("somebody", start_server())
    with model_admin.offered("http://300.1.1.1/v1", "lost-model") as (_endpoint, [lost]):
        model_admin.wait_offered(person, lost.key)
        page = socket(person)
        asked = page.ask("Tell me about bees", model=lost.key)
        assert asked.outcome[0] == "error"
        standing = page.wait("standing", after=page.stop(id=asked.id))
        assert (standing["id"], standing["status"]) == (asked.id, "error")
