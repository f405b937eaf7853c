"""What the database has, for tests that look behind the page."""

from conversations.models import Generation
from conversations.rules.status import Status
from tests.support.sockets import Asked
from tests.support.waiting import PATIENCE, eventually


def run(of: Asked | str) -> Generation:
    """The generation as stored now, with its message and conversation."""
    key = of if isinstance(of, str) else of.generation
    return Generation.objects.select_related("message", "conversation").get(pk=key)


def ended(of: Asked | str, timeout: float = PATIENCE) -> Generation:
    """The generation once it has ended."""
    key = of if isinstance(of, str) else of.generation
    eventually(lambda: run(key).status != Status.STREAMING, f"the end of {key}", timeout)
    return run(key)


def outcome(of: Asked | str, timeout: float = PATIENCE) -> tuple[str, str]:
    """Status and reason once it has ended; the message must have the same status."""
    generation = ended(of, timeout)
    assert generation.message.status == generation.status
    return generation.status, generation.end_reason


def text(of: Asked | str) -> str:
    """The message's text, once its generation has ended."""
    return ended(of).message.content
