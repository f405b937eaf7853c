"""The refusals of popular providers, and what the person reads about each."""

import re

import pytest

from tests.support import generations
from tests.support.model_admin import offered, wait_offered
from tests.support.people import words
from tests.support.servers import free_port

LLAMA_CPP = {
    "error": {
        "code": 400,
        "message": "request (2227 tokens) exceeds the available context size (2048 tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 2227,
        "n_ctx": 2048,
    }
}
VLLM = {
    "object": "error",
    "message": "This model's maximum context length is 4096 tokens. However, you requested 5120 tokens (4900 in the "
    "messages, 220 in the completion). Please reduce the length of the messages or completion.",
    "type": "BadRequestError",
    "code": 400,
}
OPENAI = {
    "error": {
        "message": "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
}
ANTHROPIC = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "prompt is too long: 208310 tokens > 200000 maximum"},
}
OPENROUTER = {
    "error": {
        "message": "This endpoint's maximum context length is 131,072 tokens. However, you requested about 140,016 "
        "tokens (140,016 of text input). Please reduce the length of either one.",
        "code": 400,
    }
}
LITELLM = {
    "error": {
        "message": "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: "
        "OpenAIException - request (2227 tokens) exceeds the available context size (1536 tokens)",
        "type": "invalid_request_error",
        "param": None,
        "code": "400",
    }
}
TOO_LONG = {
    "llama.cpp": (400, LLAMA_CPP, 2048),
    "vLLM": (400, VLLM, 4096),
    "OpenAI": (400, OPENAI, 8192),
    "Anthropic": (400, ANTHROPIC, 200_000),
    "OpenRouter": (400, OPENROUTER, 131_072),
    "LiteLLM": (400, LITELLM, 1536),
    "a bare sentence": (413, b"The prompt is too long.", None),
}


@pytest.fixture(scope="module")
def own(provider):
    """An endpoint for this file only, so that what the server learns about its models affects no other test."""
    with offered(provider.url, *[f"window-{number}" for number in range(len(TOO_LONG) + 3)]) as (_row, models):
        yield iter(models)


@pytest.fixture
def model(own, alice):
    model = next(own)
    wait_offered(alice, model.key)
    return model.key


@pytest.fixture
def asking(unanswered, alice, model):
    return unanswered(alice, model=model)


@pytest.mark.parametrize("who", TOO_LONG)
def test_context_overflow_says_what_to_do(asking, who):
    asked, exchange = asking
    status, body, window = TOO_LONG[who]
    exchange.respond(status, body=body)
    assert asked.outcome == ("error", "context_exceeded")
    note = words(asked.end["note"])
    assert "This conversation is too long for the model “window-" in note
    assert "Shorten your message, start a new chat, or choose another model." in note
    generation = generations.get(asked)
    assert generation.error_code == "context_exceeded"
    assert (window is None) or f"context is {window} tokens" in generation.detail


def test_context_overflow_in_the_stream_says_the_same(asking):
    asked, exchange = asking
    exchange.write_event(LLAMA_CPP)
    assert asked.outcome == ("error", "context_exceeded")


def test_window_named_in_a_refusal_is_used_afterwards(asking, provider, model):
    """Turns that no longer fit are left out, so a retry works."""
    first, exchange = asking
    exchange.write_tokens("Bees hum. " * 200).finish()
    assert first.end
    refused = provider.expect()
    second = first.socket.ask(refused.prompt, after=first, model=model)
    assert exchange.prompt in " ".join(refused.request.contents)
    refused.respond(400, body={"error": {**LLAMA_CPP["error"], "n_ctx": 400}})
    assert second.outcome == ("error", "context_exceeded")
    again = provider.expect(refused.prompt)
    third = first.socket.regenerate(second.message)
    assert exchange.prompt not in " ".join(again.request.contents)
    again.write_tokens("Yes.").finish()
    assert third.outcome == ("complete", "finished")


def test_text_that_can_never_fit_is_not_sent(asking, provider, model):
    asked, exchange = asking
    exchange.respond(400, body={"error": {**LLAMA_CPP["error"], "n_ctx": 400}})
    assert asked.end
    page = asked.socket
    page.wait_refused("too_long", id=page.ask("Bees hum. " * 300, model=model).id)


REFUSALS = {
    "the key": (401, {}, "The provider rejected the API key."),
    "no right": (403, {}, "does not let this server use the model “alpha-model”"),
    "no such model": (404, {}, "does not know the model “alpha-model”"),
    "nothing left": (429, {"error": {"code": "insufficient_quota"}}, "credit with the provider is used up"),
    "payment wanted": (402, {}, "credit with the provider is used up"),
    "slower": (429, {"error": {"code": "rate_limit_exceeded"}}, "asked us to slow down"),
    "anything else": (400, {}, "An administrator should check its settings."),
}


@pytest.mark.parametrize("which", REFUSALS)
def test_refusals_are_distinguished(alice, socket, provider, which):
    status, body, sentence = REFUSALS[which]
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.respond(status, body=body)
    assert asked.end["status"] == "error"
    note = words(asked.end["note"])
    assert sentence in note
    assert not re.search(r"\b[45]\d\d\b|quota", note)
    assert sentence in alice.get(f"/c/{asked.conversation}/").text


def test_refused_connection_is_named(start_server, alice, socket):
    server = start_server(OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1", CHAT_MODELS="alpha-model")
    asked = socket(alice.at(server)).ask("Is anybody there?")
    assert asked.outcome == ("error", "provider_unreachable")
    assert generations.get(asked).detail == "connection refused"


@pytest.mark.parametrize("address", ["http://300.1.1.1/v1", "http://☃.com/v1"])
def test_unusable_address_fails_the_answer(alice, socket, address):
    with offered(address, "nowhere-model") as (_row, [model]):
        wait_offered(alice, model.key)
        asked = socket(alice).ask("Is anybody there?", model=model.key)
        assert asked.outcome == ("error", "provider_unreachable")


def test_refusal_quoting_the_request_keeps_usage_requests_on(alice, socket, provider):
    """Usage is no longer requested only where leaving it out helps."""
    with offered(f"{provider.url}/quoting", "quoting-model") as (_row, [model]):
        wait_offered(alice, model.key)
        page = socket(alice)
        for _ in range(2):
            first = provider.expect()
            asked = page.ask(first.prompt, model=model.key)
            assert "stream_options" in first.request.body
            second = provider.expect(first.prompt)
            quoted = {
                "detail": [{"loc": ["body", "temperature"], "input": {"stream_options": {"include_usage": True}}}]
            }
            first.respond(422, body=quoted)
            assert "stream_options" not in second.request.body
            second.respond(422, body=quoted)
            assert asked.outcome == ("error", "provider_rejected")
