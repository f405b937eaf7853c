"""Tokens and cost of an answer come from the provider or are counted after the end, and are shown where allowed."""

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from conversations.models import Generation, Kind, Message, Role, ServerProcess
from conversations.operations import token_accounting
from conversations.providers import context_window, prompt, tokenizer_worker
from conversations.providers.token_counter import Tokenizer, estimated_tokens
from conversations.rendering import usage_text
from conversations.rules.status import EndReason, Status
from conversations.web.monthly_usage import this_month
from tests.support import generations
from tests.support.model_admin import offered, wait_offered
from tests.support.polling import eventually


@pytest.fixture
def priced(alice, provider):
    """The key of a model that costs 2 per million input tokens and 10 per million output tokens."""
    with offered(provider.url, "priced-model", price_in="2", price_out="10", currency="EUR") as (_row, [model]):
        wait_offered(alice, model.key)
        yield model.key


def counted(asked):
    """The generation, once its token counts are final."""
    generations.wait_ended(asked)
    eventually(lambda: generations.get(asked).usage_final, "the tokens counted")
    return generations.get(asked)


def page_of(person, asked):
    return person.get(f"/c/{asked.conversation}/")


# --- where the figures come from -------------------------------------------------------------------------------------


def test_provider_usage_counts_immediately(priced, alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=priced)
    exchange.write_tokens("Bees.").finish(usage=(1000, 500))
    row = generations.wait_ended(asked)
    assert (row.tokens_in, row.tokens_out, row.usage_source, row.usage_final) == (1000, 500, "provider", True)
    assert row.cost == Decimal("0.007")
    assert "1,500 tokens · 0.0070 EUR" in asked.end["footer"]
    assert "1,500 tokens · 0.0070 EUR" in page_of(alice, asked).text


def test_stopped_answer_is_counted_and_priced(priced, alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=priced)
    text = "The quick brown fox jumps over the lazy dog. "
    exchange.write_tokens(text * 5)
    asked.wait_text("dog").stop()
    at_once = generations.wait_ended(asked)
    assert at_once.usage_source == "estimated"
    assert at_once.cost > 0
    assert "≈ " in asked.end["footer"]
    row = counted(asked)
    assert row.usage_source == "estimated"
    assert row.tokens_out == 51  # ten per sentence, and the space after the last one
    assert 5 <= row.tokens_in <= 20
    assert row.cost == (row.tokens_in * Decimal(2) + 51 * Decimal(10)) / 1_000_000
    assert "≈ " in page_of(alice, asked).text


def test_reasoning_of_a_stopped_answer_is_counted_and_priced(priced, alice, socket, provider):
    """Nobody saw the reasoning, but such a model bills mostly for it."""
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=priced)
    for _ in range(155):
        exchange.write_event({"choices": [{"delta": {"reasoning_content": "Hm"}}]})
    exchange.write_tokens("hello")
    asked.wait_text("hello").stop()
    at_once = generations.wait_ended(asked)
    assert (at_once.thought_tokens, at_once.tokens_out) == (155, 157)
    row = counted(asked)
    assert (row.thought_tokens, row.tokens_out) == (155, 156)
    assert row.cost == (row.tokens_in * Decimal(2) + 156 * Decimal(10)) / 1_000_000


def test_reasoning_in_large_chunks_is_counted_by_length(priced, alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=priced)
    exchange.write_event({"choices": [{"delta": {"reasoning": "Hmm. " * 80}}]}).write_tokens("Bees")
    asked.wait_text("Bees").stop()
    assert generations.wait_ended(asked).thought_tokens == 100


@pytest.mark.parametrize(
    "usage", ["many", 5, [1], {"prompt_tokens": "5", "completion_tokens": 1e300}, {"prompt_tokens": 1}]
)
def test_usage_of_a_wrong_type_is_ignored(alice, answering, usage):
    a = answering(alice)
    a.exchange.write_event({"choices": [], "usage": usage}).write_tokens(" on").finish(usage=(7, 8))
    assert a.asked.outcome == ("complete", "finished")
    row = generations.wait_ended(a.asked)
    assert (row.tokens_in, row.tokens_out, row.usage_source) == (7, 8, "provider")


def test_answers_of_a_dead_process_are_counted(priced, alice, socket, provider, server):
    """The row is as the reaper leaves it: ended, with text and without figures. The text that a continuation began with
    does not count."""
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=priced)
    exchange.write_tokens("Bees hum.").finish()
    first = generations.wait_ended(asked)
    answer = Message.objects.create(
        conversation=first.conversation, parent=first.message.parent, role=Role.ASSISTANT, status=Status.INTERRUPTED,
        content="Bees hum. All day long.",
    )  # fmt: skip
    lost = Generation.objects.create(
        conversation=first.conversation, message=answer, requested_by=alice.user, kind=Kind.CONTINUE, model=priced,
        continued_from=first.message, status=Status.INTERRUPTED, end_reason=EndReason.SERVER_LOST,
        ended_at=first.ended_at, characters=len(" All day long."), price_in=2, price_out=10, currency="EUR",
    )  # fmt: skip
    row = counted(str(lost.pk))
    assert row.tokens_out == 4
    assert row.tokens_in > first.message.parent.content.count(" ") + len(prompt.CONTINUE_INSTRUCTION.split())
    assert row.cost > 0


def test_generation_that_never_reached_the_provider_costs_nothing(alice, socket, provider):
    exchange = provider.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt)
    exchange.wait_opened()
    asked.stop()
    row = generations.wait_ended(asked)
    assert (row.tokens_in, row.tokens_out, row.cost) == (None, None, None)
    assert "token" not in page_of(alice, asked).text


@pytest.mark.parametrize("usage", [(-1, 5), (5, -1), (10**12, 5), (5, 2**31)])
def test_impossible_usage_is_ignored(usage, alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.write_tokens("Bees.").finish(usage=usage)
    row = generations.wait_ended(asked)
    assert (row.status, row.usage_source) == ("complete", "estimated")
    assert 0 < row.tokens_in < 100


def test_provider_that_rejects_usage_is_asked_without_it(alice, socket, provider):
    with offered(f"{provider.url}/strict", "strict-model") as (_row, [model]):
        wait_offered(alice, model.key)
        page = socket(alice)
        refused, again = provider.expect(), provider.expect()
        asked = page.ask(f"{refused.prompt} {again.prompt}", model=model.key)
        eventually(lambda: refused.opened_at or again.opened_at, "the first request")
        first, second = (refused, again) if refused.opened_at else (again, refused)
        assert "stream_options" in first.request.body
        first.respond(400, body={"error": {"message": "Unrecognized request argument: stream_options"}})
        assert "stream_options" not in second.request.body
        second.write_tokens("Bees.").finish()
        assert asked.outcome == ("complete", "finished")
        following = provider.expect()
        later = page.ask(following.prompt, model=model.key)
        assert "stream_options" not in following.request.body
        following.write_tokens("Bees.").finish()
        assert later.outcome == ("complete", "finished")


# --- the tokenizer process --------------------------------------------------------------------------------------------


@pytest.fixture
def tokenizer():
    tokenizer = Tokenizer()
    yield tokenizer
    tokenizer.close()


def test_counts_any_characters(tokenizer):
    texts = ["hello world", "", "a\r\n\u2028\x85b", "half \ud800 a character", "日本語"]
    counts = tokenizer.count(texts, 10)
    assert counts[:2] == [2, 0]
    assert len(counts) == len(texts)


@pytest.mark.filterwarnings("ignore:open_binary is deprecated:DeprecationWarning")  # in the library's public way
def test_counts_are_the_same_without_the_undocumented_function(monkeypatch):
    texts = ["hello world", "", "a\r\n\u2028", "<|endoftext|>", "日本語 🐝", "def f():\n\treturn 1\n" * 50]
    counts = list(map(tokenizer_worker.counter(), texts))
    from bpe_openai import _bindings  # not above: importing it warns

    made = _bindings.tokenizer_for_encoding

    class WithoutCount:
        def __init__(self, *args):
            self.tokenizer = made(*args)

        def __getattr__(self, name):
            if name == "count":
                raise AttributeError(name)
            return getattr(self.tokenizer, name)

    monkeypatch.setattr(_bindings, "tokenizer_for_encoding", WithoutCount)
    assert list(map(tokenizer_worker.counter(), texts)) == counts


def test_token_counter_restarts_after_its_process_dies(tokenizer):
    assert tokenizer.count(["hello world"], 10) == [2]
    tokenizer._program.kill()
    assert tokenizer.count(["hello world"], 10) is None
    assert tokenizer.count(["hello world"], 10) == [2]


def test_token_counter_gives_up_when_it_cannot_count(tokenizer, monkeypatch, tmp_path):
    program = tmp_path / "broken.py"
    program.write_text("import no_such_library")
    monkeypatch.setattr("conversations.providers.token_counter.PROGRAM", program)
    assert tokenizer.count(["hello"], 10) is None
    monkeypatch.undo()
    assert tokenizer.count(["hello"], 10) is None  # it does not start the process on every attempt
    assert Tokenizer().count(["x" * 5_000_000], 10) is None
    assert estimated_tokens(5) == 2


def test_timeout_includes_waiting_for_the_counter(tokenizer):
    """The process hangs while it counts in the background; a person who waits for the first word does not wait for
    it."""
    assert tokenizer.count(["hello world"], 10) == [2]
    os.kill(tokenizer._program.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as background:
        counting = background.submit(tokenizer.count_in_background, "hello world")
        eventually(tokenizer._lock.locked, "the background task running")
        begun = time.monotonic()
        assert tokenizer.count(["hello"], 0.2) is None
        assert time.monotonic() - begun < 2
        tokenizer._program.kill()
        assert counting.result() is None
    assert tokenizer.count(["hello world"], 10) == [2]


def test_a_long_history_is_counted_without_holding_the_event_loop(tokenizer, monkeypatch):
    """Counts four hundred thousand characters, then takes the result from memory."""
    monkeypatch.setattr(context_window, "tokenizer", tokenizer)
    monkeypatch.setattr(context_window, "sizes", context_window.SizeCache())
    monkeypatch.setattr(context_window, "COUNT_TIMEOUT", 30.0)
    turns = [{"role": "user", "content": f"{place} " + "The quick brown fox. " * 950} for place in range(20)]

    async def count():
        with pytest.raises(context_window.Uncounted) as missing:
            await asyncio.to_thread(context_window.messages_to_drop, turns, 19, 60_000)
        await asyncio.to_thread(context_window.count_texts, missing.value.texts)
        return await asyncio.to_thread(context_window.messages_to_drop, turns, 19, 60_000)

    async def watched():
        holds, loop = [], asyncio.get_running_loop()
        counting = asyncio.create_task(count())
        while not counting.done():
            at = loop.time()
            await asyncio.sleep(0.001)
            holds.append(loop.time() - at)
        return counting.result(), sorted(holds)

    left_out, holds = asyncio.run(watched())
    assert 0 < left_out < 19
    assert holds[len(holds) * 99 // 100] < 0.05


def test_each_server_process_counts_its_own_answers(alice, socket, provider, server):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.write_tokens("Bees.").finish()
    row = generations.wait_ended(asked)
    other = ServerProcess.objects.create(host="elsewhere", pid=1)

    def found_by(process):
        Generation.objects.filter(pk=row.pk).update(usage_final=False)
        return row.pk in [sent.generation for sent in token_accounting.uncounted(process)]

    eventually(lambda: found_by(row.owner_id), "uncounted for its own process")  # which may have been faster
    assert not found_by(other.pk)


# --- what people see -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "0.00 EUR"),
        ("12.345", "12.34 EUR"),
        ("1234.5", "1,234.50 EUR"),
        ("0.25", "0.25 EUR"),
        ("0.00061", "0.00061 EUR"),
        ("0.00000001", "0.00000001 EUR"),
    ],
)
def test_amounts_show_every_significant_digit(amount, words):
    assert usage_text.money(Decimal(amount), "EUR") == words


def test_settings_show_usage_of_the_month(priced, alice, bob, socket, provider):
    page = socket(alice)
    for _ in range(2):
        exchange = provider.expect()
        asked = page.ask(exchange.prompt, model=priced)
        exchange.write_tokens("Bees.").finish(usage=(1_000_000, 50_000))
        generations.wait_ended(asked)
    text = alice.get("/settings/").text
    assert "2 answers · 2,000,000 tokens in · 100,000 tokens out" in text
    assert "Cost: 5.00 EUR" in text
    assert "estimated" not in text
    assert "5.00 EUR" not in bob.get("/settings/").text
    assert alice.without_session().get("/settings/").status == 302


@pytest.mark.parametrize(
    ("shown", "words"), [("no", ""), ("tokens", "15 tokens"), ("cost", "15 tokens · 0.000050 EUR")]
)
def test_administrator_decides_which_usage_is_shown(shown, words, settings, alice):
    settings.CHAT_SHOW_USAGE = shown
    row = Generation(tokens_in=10, tokens_out=5, usage_source="provider", cost=Decimal("0.00005"), currency="EUR")
    assert usage_text.answer_usage(row) == words
    used = this_month(alice.user)
    assert (used is None) == (shown == "no")
