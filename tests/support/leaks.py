"""Checks that no secrets or technical words reach people or logs."""

import re

from tests.support import generations, servers
from tests.support.environment import CANARY_KEY, METRICS_TOKEN
from tests.support.people import words
from tests.support.sockets import Asked


def assert_plain_sentence(asked: Asked) -> None:
    """The sentence about a failed answer is for people: it has no address, secret, code or exception name."""
    note = asked.end["note"]
    assert note
    for text in (words(note), asked.end.fields.get("announce", "")):
        assert not re.search(r"https?:|127\.0\.0\.1|sk-|secret_code|\b[45]\d\d\b|Error|Exception|Traceback", text), text
    generation = generations.get(asked)
    for text in (generation.detail, generation.error_code, asked.socket.story()):
        assert CANARY_KEY not in text
    assert "http" not in generation.detail


def leaked_secrets() -> list[str]:
    """One line for each secret that a server of this session wrote to its output."""
    secrets = {"provider's key": CANARY_KEY, "token for metrics": METRICS_TOKEN}
    return [
        f"the server on port {server.port} wrote the {name} to its output"
        for server in servers.started
        for name, secret in secrets.items()
        if secret in server.output
    ]
