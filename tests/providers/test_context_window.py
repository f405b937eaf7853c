"""In a conversation longer than the model's context window, whole turns are left out, and the page says so."""

import pytest

from conversations.models import LanguageModel
from conversations.providers import context_window
from tests.support import generations
from tests.support.model_admin import change_model, offered, wait_offered

WORDS = "The quick brown fox jumps over the lazy dog. " * 10
"""A text of about a hundred tokens."""
LEFT_OUT = "The beginning of this conversation was not sent"


@pytest.fixture
def small(alice, provider):
    """The key of a model with a window of 400 tokens, of which 100 are for the answer, and a system prompt."""
    with offered(provider.url, "small-model", context_window=400, system_prompt="Be brief.") as (_row, [model]):
        wait_offered(alice, model.key)
        yield model.key


def ask(page, provider, model, text="", after=None):
    exchange = provider.expect()
    asked = page.ask(f"{exchange.prompt} {text}", model=model, after=after)
    sent = exchange.request.contents
    exchange.write_tokens(f"Answer. {text}").finish()
    assert asked.outcome == ("complete", "finished")
    return asked, sent


@pytest.fixture
def filled(alice, socket, provider, small):
    """Returns (page, the last answer, its texts as sent) of a conversation whose first turn no longer fits."""
    page = socket(alice)
    first, sent = ask(page, provider, small, WORDS)
    assert len(sent) == 2
    second, sent = ask(page, provider, small, WORDS, after=first)
    return page, second, sent


def test_oldest_turns_are_left_out_whole(filled, alice):
    _page, asked, sent = filled
    assert sent[0] == "Be brief."
    assert len(sent) == 2
    assert sent[1].startswith(generations.get(asked).message.parent.content[:30])
    assert generations.get(asked).turns_dropped == 2


def test_page_says_that_turns_were_left_out(filled, alice):
    _page, asked, _sent = filled
    assert LEFT_OUT in asked.transcript["html"]
    assert alice.get(f"/c/{asked.conversation}/").text.count(LEFT_OUT) == 1


def test_conversation_that_fits_is_sent_whole(alice, socket, provider, small):
    page = socket(alice)
    first, _sent = ask(page, provider, small, "Short.")
    second, sent = ask(page, provider, small, "Short, too.", after=first)
    assert len(sent) == 4
    assert generations.get(second).turns_dropped == 0
    assert LEFT_OUT not in alice.get(f"/c/{second.conversation}/").text


def test_tokenizer_decides_when_bytes_are_inconclusive(alice, socket, provider, small):
    """Two turns of about 140 tokens; their size in bytes alone does not show whether they fit."""
    page = socket(alice)
    text = WORDS[: len(WORDS) * 6 // 10]
    first, _sent = ask(page, provider, small, text)
    _second, sent = ask(page, provider, small, "And now?", after=first)
    assert len(sent) == 4


def test_model_without_a_window_gets_everything(alice, socket, provider):
    page = socket(alice)
    first, _sent = ask(page, provider, "alpha-model", WORDS * 10)
    _second, sent = ask(page, provider, "alpha-model", after=first)
    assert len(sent) == 3


@pytest.mark.parametrize("how", ["prefill", "instruction"])
def test_continued_answer_keeps_its_prompt(how, alice, staff, socket, provider, small, filled):
    page, before, _sent = filled
    model = LanguageModel.objects.get(key=small)
    window, prompt = str(model.context_window), model.system_prompt
    change_model(staff, model, continues_by=how, context_window=window, system_prompt=prompt)
    exchange, following = provider.expect(), provider.expect("Bees hum on")
    asked = page.ask(exchange.prompt, model=small, after=before)
    exchange.write_tokens("Bees hum on")
    asked.wait_text("on").stop()
    assert asked.outcome == ("interrupted", "stopped")
    more = page.continue_(asked.message, model=small)
    contents = following.request.contents
    assert contents[0] == "Be brief."
    assert contents[-1 if how == "prefill" else -2] == "Bees hum on"
    assert any(exchange.prompt in content for content in contents)
    following.write_tokens(".").finish()
    assert more.outcome == ("complete", "finished")
    assert generations.get(more).turns_dropped >= 2


def test_last_turn_too_long_by_itself_is_refused(filled, provider, small):
    page, before, _sent = filled
    refused = page.wait_refused("too_long", id=page.ask(WORDS * 10, model=small, after=before).id)
    assert "small-model" in refused["sentence"]
    assert "choose another model" in refused["sentence"]
    new = page.wait_refused("too_long", id=page.ask(f"Anew: {WORDS * 10}", model=small).id)
    assert not provider.asked("Anew: ")
    assert "choose another model" in new["sentence"]
    asked, _sent = ask(page, provider, "alpha-model", WORDS * 10, after=before)
    assert generations.get(asked).conversation_id == generations.get(before).conversation_id


TURNS = [{"role": role, "content": "x" * 300} for role in ("system", "user", "assistant", "user", "assistant", "user")]


def test_bytes_decide_without_a_tokenizer(monkeypatch):
    monkeypatch.setattr("conversations.providers.context_window.tokenizer.count", lambda texts, timeout: None)
    monkeypatch.setattr("conversations.providers.context_window.sizes", context_window.SizeCache())
    assert context_window.messages_to_drop(TURNS, 5, 1000) == 0
    with pytest.raises(context_window.Uncounted) as missing:
        context_window.messages_to_drop(TURNS, 5, 600)
    context_window.count_texts(missing.value.texts)
    assert context_window.messages_to_drop(TURNS, 5, 600) == 2
    assert context_window.messages_to_drop(TURNS, 5, 300) == 4
    assert context_window.messages_to_drop(TURNS[1:], 4, 300) == 4
    with pytest.raises(context_window.TooLong):
        context_window.messages_to_drop(TURNS, 5, 200)


@pytest.mark.parametrize("window", ["0", "1", "2147483647"])
def test_any_window_size_is_harmless(window, staff, alice, socket, provider, small):
    change_model(staff, LanguageModel.objects.get(key=small), context_window=window)
    page = socket(alice)
    if window == "2147483647":
        ask(page, provider, small, WORDS)
    else:
        page.wait_refused("too_long", id=page.ask("Hello", model=small).id)
