"""Endpoints are reached through the HTTP proxy of the environment, except the hosts that it excludes."""

import pytest

from tests.support.model_admin import offered, wait_offered
from tests.support.servers import running

NOWHERE = "http://models.example.invalid/v1"


@pytest.fixture(scope="module")
def inside(database, provider):
    """A server that has outside access only through a proxy, played by the fake provider."""
    proxy = {"HTTP_PROXY": f"http://127.0.0.1:{provider.port}", "NO_PROXY": "127.0.0.1"}
    with running(OPENAI_BASE_URL=NOWHERE, CHAT_MODELS="alpha-model", **proxy) as server:
        yield server


def test_endpoints_are_reached_through_the_proxy(alice, inside, socket, provider):
    exchange = provider.expect()
    asked = socket(alice.at(inside)).ask(exchange.prompt)
    assert exchange.request.path == f"{NOWHERE}/chat/completions"
    exchange.write_tokens("Bees.").finish()
    assert asked.outcome == ("complete", "finished")


def test_excepted_hosts_bypass_the_proxy(alice, inside, socket, provider):
    person = alice.at(inside)
    with offered(provider.url, "near-model") as (_row, [model]):
        wait_offered(person, model.key)
        exchange = provider.expect()
        asked = socket(person).ask(exchange.prompt, model=model.key)
        assert exchange.request.path == "/v1/chat/completions"
        exchange.write_tokens("Bees.").finish()
        assert asked.outcome == ("complete", "finished")
