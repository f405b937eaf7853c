"""Generations with different outcomes for the tests of the admin."""

import pytest

from tests.support import generations


@pytest.fixture
def stopped(alice, answering):
    """A generation that Alice stopped after a few words."""
    answer = answering(alice, "Bees <script>alert(1)</script> ", "**hum**")
    answer.asked.stop()
    return generations.wait_ended(answer.asked)


@pytest.fixture
def finished(bob, answering):
    """A complete generation requested by Bob."""
    answer = answering(bob)
    answer.exchange.finish()
    return generations.wait_ended(answer.asked)


@pytest.fixture
def failed(alice, answering):
    """A generation requested by Alice whose provider broke the connection."""
    answer = answering(alice)
    answer.exchange.cut()
    return generations.wait_ended(answer.asked)
