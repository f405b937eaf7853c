"""Fixtures for prompts that wait for the provider's response."""

import pytest


@pytest.fixture
def unanswered(socket, provider):
    """Ask as a person; returns (asked, exchange) once the provider has the request, which is not answered yet."""

    def ask(person, **options):
        exchange = provider.expect()
        asked = socket(person).ask(exchange.prompt, **options)
        exchange.wait_opened()
        return asked, exchange

    return ask


@pytest.fixture
def asking(unanswered, alice):
    """Alice's prompt at the shared server: (asked, exchange)."""
    return unanswered(alice)
