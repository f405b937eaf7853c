"""A separate process renders slow text: live and reloaded HTML are the same, and complete even if it fails."""

import asyncio
import os
import signal
import uuid

import msgspec
import pytest

from conversations.delivery import broadcast
from conversations.delivery.broadcast import Broadcast
from conversations.rendering import worker
from conversations.rendering.cache import HtmlCache
from conversations.rendering.markdown.stream import MarkdownStream, render
from tests.support.polling import eventually
from tests.support.protocol_rules import Event, Rules
from tests.support.safe_html import assert_safe

CODE = "```python\nimport os\n```\n\nSo.\n\n"
SLOW = "```csharp\n" + ("@a " * 5 + "\n") * 370 + "```\n\nSo.\n\n"


class Page:
    """What a page builds from the frames of one answer."""

    language = "en"

    def __init__(self):
        self.rules = Rules()
        self.ops = []

    def offer(self, frame, message):
        event = Event(msgspec.json.decode(frame), 0.0)
        self.ops.append(event.op)
        self.rules.apply(event)
        return True

    push = offer

    @property
    def html(self):
        (shown,) = self.rules.shown.values()
        return shown.html


@pytest.fixture
def answer():
    return Broadcast(uuid.uuid4(), uuid.uuid4())


@pytest.fixture
def program():
    program = worker.Worker("a program of the test's", 60)
    yield program
    program.close()


def work(text):
    return MarkdownStream(text).task(last=True)


def test_dead_worker_is_replaced(program):
    assert "<span" in program.submit(work(CODE)).result(20).html
    os.kill(program.pid, signal.SIGKILL)
    results = [program.submit(work(CODE)).result(20) for _ in range(2)]
    assert results[0] is None or "<span" in results[0].html
    assert "<span" in results[1].html


def test_hanging_worker_is_replaced(program, monkeypatch):
    assert program.submit(work(CODE)).result(20)
    monkeypatch.setattr(worker, "TASK_TIMEOUT", 0.2)
    os.kill(program.pid, signal.SIGSTOP)
    assert program.submit(work(CODE)).result(20) is None
    monkeypatch.undo()
    assert "<span" in program.submit(work(CODE)).result(20).html


def test_idle_worker_is_ended():
    program = worker.Worker("a program of the test's", 0.1)
    assert program.submit(work(CODE)).result(20)
    eventually(lambda: program.pid is None, "the end of the program")
    assert "<span" in program.submit(work(CODE)).result(20).html
    program.close()


def test_closed_worker_does_nothing(program):
    program.close()
    assert program.submit(work(CODE)).result(1) is None


def test_slow_highlighting_uses_up_its_time_budget():
    step = worker.submit(work(CODE + SLOW * 3 + CODE)).result(20)
    assert step.html.count('<span class="kn">') == 1
    assert assert_safe(step.html).text.count("import os") == 2
    assert assert_safe(step.html).text.count("@a ") == SLOW.count("@a ") * 3


async def test_pages_get_html_rendered_by_the_worker(answer):
    page, late = Page(), Page()
    answer.subscribe(page)
    answer.add(CODE * 3)
    answer.flush()
    answer.subscribe(late)
    assert late.ops == []
    answer.add("Then *more*")
    answer.finish_text()
    await answer.wait_rendered()
    assert late.ops[0] == "snapshot"
    assert page.html == late.html == answer.html == render(CODE * 3 + "Then *more*")
    assert page.html.count('<span class="kn">') == 3
    assert not page.rules.broken + late.rules.broken


async def test_nothing_is_rendered_without_viewers(answer, monkeypatch):
    for name in ("perform_if_quick", "fallback"):
        monkeypatch.setattr(broadcast, name, lambda *_: pytest.fail("rendered"))
    monkeypatch.setattr(worker, "submit_from_loop", lambda *_: pytest.fail("rendered"))
    assert answer.feed(CODE) > 0
    answer.finish_text()
    await answer.wait_rendered()
    answer.end("complete", "finished", lambda _language: {})
    assert answer.html is None


async def test_late_viewer_gets_the_whole_answer(answer):
    answer.feed(CODE)
    answer.finish_text()
    page = Page()
    answer.subscribe(page)
    await answer.wait_rendered()
    assert page.ops == ["snapshot"]
    assert page.html == render(CODE)


async def test_unrenderable_text_is_shown_as_written(answer, monkeypatch):
    monkeypatch.setattr(worker, "submit_from_loop", lambda work, then: asyncio.get_running_loop().call_soon(then, None))
    page = Page()
    answer.subscribe(page)
    for piece in (CODE, "And <b>"):
        answer.add(piece)
        answer.flush()
        await answer.wait_rendered()
    answer.finish_text()
    await answer.wait_rendered()
    assert assert_safe(page.html).text.strip() == f"{CODE}And <b>".strip()
    assert answer.html is None  # the next attempt may succeed


async def test_end_does_not_wait_for_a_hanging_worker(answer, monkeypatch):
    monkeypatch.setattr(worker, "submit_from_loop", lambda *_: None)
    page = Page()
    answer.subscribe(page)
    answer.add(CODE)
    answer.finish_text()
    await answer.wait_rendered(0.05)
    assert assert_safe(page.html).text.strip() == CODE.strip()


def test_fallback_html_is_not_cached(monkeypatch):
    monkeypatch.setattr(worker, "submit", lambda _work: _nothing())
    kept, message = HtmlCache(), uuid.uuid4()
    assert assert_safe(kept.get_or_render(message, CODE)).text.strip() == CODE.strip()
    monkeypatch.undo()
    assert "<span" in kept.get_or_render(message, CODE)


def _nothing():
    result = worker.ResultFuture()
    result.set_result(None)
    return result


def test_same_html_live_after_reload_and_in_a_continuation(alice, answering, provider):
    a = answering(alice, CODE, "$x^2$ **end", "ing")
    a.asked.stop()
    assert a.asked.outcome == ("interrupted", "stopped")
    live = a.page.html(a.asked.generation)
    assert '<span class="kn">import</span>' in live
    assert live in alice.get(f"/c/{a.asked.conversation}/").html
    rest = provider.expect(a.exchange.prompt)
    again = a.page.continue_(a.asked.message)
    assert '<span class="kn">import</span>' in again.transcript["html"]
    rest.write_tokens("** now.").finish()
    assert again.outcome == ("complete", "finished")
    assert "<strong>ending</strong> now." in a.page.html(again.generation)
