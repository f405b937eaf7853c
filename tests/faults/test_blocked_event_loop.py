"""No answer blocks the event loop for more than 50 ms, whatever the model writes, and a Stop is as fast as usual while
five such answers stream and end."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import generations, people, servers
from tests.support.faults import loop_probe as prober_program
from tests.support.faults import measurements
from tests.support.polling import eventually
from tests.support.sockets import Asked

LIMIT = 0.4
"""Seconds that the loop may be blocked on the slowest machine; the printed figures show the real value."""

SIZE = 390_000
PIECE = 4_000
STREAMS = 5
OVER = "\n\nAll written."


def filled(piece: str) -> str:
    return piece * (SIZE // len(piece))


def code(language: str, line: str, lines: int) -> str:
    return f"```{language}\n" + f"{line}\n" * lines + "```\n\nSo.\n\n"


TEXTS = {
    "code": filled(code("python", "    y = [1, 'two', compute(three)]  # four", 30)),
    "a list with code": filled("- one\n\n  ```python\n  y = [1, 'two', compute(three)]\n  z = None\n  ```\n"),
    "a table": "| a | b |\n|---|---|\n" + filled("| some words | `x` and **more** |\n"),
    "amounts": filled("US$5 a$ "),
    "formulas in one paragraph": filled("$x_{i}$ and "),
    "formulas in many": filled("so $$\n\\frac{a}{b} + \\sqrt{x_{i}}\n$$\n\n"),
    "nested formulas": filled("$" + "x_{" * 650 + "$\n\n"),
    "marks of TeX": filled(r"\[a$b\]"),
    "headings": filled("a\n=\n"),
    "C# that is slow to colour": filled(code("csharp", "@a " * 5, 370)),
    "CSS that is slow to colour": filled(code("css", '\\"' * 100, 28)),
    "JavaScript that is slow to colour": filled(code("js", "a " * 240, 12)),
    "TSX that is slow to colour": filled(code("tsx", "<a " * 150, 12)),
}


@pytest.fixture(scope="module")
def quiet(database, provider) -> Iterator[servers.Server]:
    """A server with no other work."""
    with servers.running(OPENAI_BASE_URL=provider.url, CHAT_MAX_CONCURRENT=100) as server:
        yield server
        assert "Traceback" not in server.output, server.output


@contextmanager
def watched(server: servers.Server, case: str) -> Iterator[list[float]]:
    """Measure how long this server's loop is blocked during the `with`; the list has the seconds afterwards."""
    program = [sys.executable, str(Path(prober_program.__file__)), str(server.port)]
    held: list[float] = []
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as prober:
        assert prober.stdout
        assert prober.stdout.readline() == "ready\n"
        yield held
        held += json.loads(prober.communicate()[0])
    measurements.note_times(f"event loop held: {case}", held)


def wait_shown(asked: Asked, text: str) -> None:
    shown = asked.socket.rules.shown
    eventually(lambda: asked.generation in shown and text.strip() in shown[asked.generation].html, text, 60)


def pieces(text: str) -> Iterator[str]:
    return (text[begin : begin + PIECE] for begin in range(0, len(text), PIECE))


USUAL = ("a list with code", "amounts", "C# that is slow to colour")
"""One text for each kind of slow rendering; the others run with `--long`."""


@pytest.mark.parametrize(
    "case", [case if case in USUAL else pytest.param(case, marks=pytest.mark.long) for case in TEXTS]
)
def test_no_answer_blocks_the_event_loop(quiet, socket, provider, case):
    """Covers streaming, a late viewer, the end, a page load, the exports and a continuation."""
    text, person = TEXTS[case] + OVER, people.new_person("reader", quiet)
    page, exchange = socket(person), provider.expect()
    with watched(quiet, case) as held:
        asked = page.ask(exchange.prompt)
        exchange.write_tokens(*pieces(text))
        wait_shown(asked, OVER)
        late = socket(person)
        late.watch(asked.conversation)
        late.wait("snapshot", timeout=30)
        assert person.get(f"/c/{asked.conversation}/").status == 200
        asked.stop()
        assert generations.outcome(asked) == ("interrupted", "stopped")
        for kind in ("md", "json"):
            assert person.get(f"/c/{asked.conversation}/export.{kind}").status == 200
        rest = provider.expect(exchange.prompt)
        again = page.continue_(asked.message)
        rest.write_tokens("\n\nThe end.")
        wait_shown(again, "The end.")
        rest.finish()
        assert generations.outcome(again) == ("complete", "finished")
    assert generations.text(again) == f"{text}\n\nThe end."
    assert max(held) < LIMIT


def test_stop_is_as_fast_beside_five_heavy_answers(quiet, socket, provider):
    writers = [people.new_person("writer", quiet) for _ in range(STREAMS)]
    bystander = people.new_person("bystander", quiet)
    cases = ["code", "a list with code", "nested formulas", "C# that is slow to colour", "headings"]
    begun = [(socket(writer), provider.expect()) for writer in writers]
    asked = [page.ask(exchange.prompt) for page, exchange in begun]
    writing = [
        threading.Thread(target=lambda e=exchange, c=case: e.write_tokens(*pieces(TEXTS[c])).finish())
        for (_page, exchange), case in zip(begun, cases, strict=True)
    ]
    page, times = socket(bystander), []
    with watched(quiet, "five at once") as held:
        for thread in writing:
            thread.start()
        while any(thread.is_alive() for thread in writing) or len(times) < 20:
            times.append(time_of_a_stop(page, provider))
        for one in asked:
            assert generations.outcome(one, timeout=60) == ("complete", "finished")
    measurements.note_times("Stop → upstream closed beside five answers of 390 kB", times)
    assert measurements.percentile(times, 0.99) < LIMIT
    assert max(held) < LIMIT


def time_of_a_stop(page, provider) -> float:
    exchange = provider.expect()
    asked = page.ask(exchange.prompt)
    exchange.write_tokens("Bees ", "hum")
    asked.wait_text("hum")
    began = time.monotonic()
    asked.stop()
    closed: float = exchange.wait_closed()
    assert asked.outcome == ("interrupted", "stopped")
    return closed - began
