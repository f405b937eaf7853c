"""Reads generations from the database, for tests that look behind the page."""

from conversations.models import Generation
from conversations.rules.status import Status
from tests.support.polling import TIMEOUT, eventually
from tests.support.sockets import Asked


def get(of: Asked | str) -> Generation:
    """The generation as stored now, with its message and conversation."""
    key = of if isinstance(of, str) else of.generation
    return Generation.objects.select_related("message", "conversation").get(pk=key)


def wait_ended(of: Asked | str, timeout: float = TIMEOUT) -> Generation:
    """Wait until the generation has ended; returns it."""
    key = of if isinstance(of, str) else of.generation
    eventually(lambda: get(key).status != Status.STREAMING, f"the end of {key}", timeout)
    return get(key)


def outcome(of: Asked | str, timeout: float = TIMEOUT) -> tuple[str, str]:
    """Wait for the end; returns status and reason, and checks that the message has the same status."""
    generation = wait_ended(of, timeout)
    assert generation.message.status == generation.status
    return generation.status, generation.end_reason


def text(of: Asked | str) -> str:
    """The message's text, once its generation has ended."""
    return wait_ended(of).message.content


def stop_path(key: str) -> str:
    """The address of the form that stops this generation without the socket."""
    return f"/generations/{key}/stop/"
