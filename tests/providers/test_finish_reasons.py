"""How a provider ends an answer decides what the person reads: only a complete answer looks finished."""

import pytest

from tests.support import generations
from tests.support.people import words

MEANT = {
    "stop": ("complete", "finished"),
    "eos": ("complete", "finished"),
    "end_turn": ("complete", "finished"),
    "STOP": ("complete", "finished"),
    "length": ("complete", "length"),
    "max_tokens": ("complete", "length"),
    "model_length": ("complete", "length"),
    "content_filter": ("complete", "content_filter"),
    "safety": ("complete", "content_filter"),
    "recitation": ("complete", "content_filter"),
    "error": ("error", "provider_failed"),
    "abort": ("error", "provider_failed"),
    "cancelled": ("error", "provider_failed"),
    "insufficient_system_resource": ("error", "provider_failed"),
    "repetition": ("error", "provider_failed"),
    "time_limit": ("error", "timed_out"),
    "tool_calls": ("error", "tool_call"),
    "function_call": ("error", "tool_call"),
    "three_wise_monkeys": ("error", "unclear"),
}


@pytest.mark.parametrize("word", MEANT)
def test_finish_reason_determines_the_outcome(alice, answering, word):
    a = answering(alice)
    a.exchange.finish(word)
    assert a.asked.outcome == MEANT[word]
    assert generations.text(a.asked) == "Bees hum"
    generation = generations.get(a.asked)
    assert generation.error_code in ("", word)
    assert bool(generation.error_code) == (generation.status == "error" or word in ("safety", "recitation"))


def test_unknown_finish_reason_does_not_look_finished(alice, answering):
    a = answering(alice)
    a.exchange.finish("three_wise_monkeys")
    assert "without reporting it as complete" in a.asked.end["note"]
    assert "Continue generating" in words(a.asked.end["note"])
    assert "three" not in a.asked.end["note"]
    assert generations.get(a.asked).error_code == "three_wise_monkeys"


NO_WORDS = {
    "nothing at all": ([], "stop", "empty", "The model returned an empty answer."),
    "white space": ([{"content": "\n \n"}], "stop", "empty", "The model returned an empty answer."),
    "a tool call": ([{"tool_calls": [{"function": {"name": "bee"}}]}], "tool_calls", "tool_call", "asked for a tool"),
    "thought to the limit": ([{"reasoning_content": "Hmm"}], "length", "empty", "length limit while reasoning"),
    "the limit": ([], "length", "empty", "reached its length limit before it wrote anything"),
    "declined": ([], "refusal", "empty", "The model declined to answer."),
}


@pytest.mark.parametrize("which", NO_WORDS)
def test_empty_answer_says_so(asking, alice, which):
    asked, exchange = asking
    deltas, word, reason, sentence = NO_WORDS[which]
    for delta in deltas:
        exchange.write_event({"choices": [{"delta": delta}]})
    exchange.finish(word)
    assert asked.outcome == ("error", reason)
    assert sentence in words(asked.end["note"])
    assert "Try again" in words(asked.end["note"])
    assert sentence in asked.end["announce"]
    assert sentence in alice.get(f"/c/{asked.conversation}/").text


def test_fully_filtered_answer_can_be_retried(asking):
    asked, exchange = asking
    exchange.finish("content_filter")
    assert asked.outcome == ("complete", "content_filter")
    assert "Try again" in words(asked.end["note"])


def test_empty_answer_is_left_out_of_the_history(asking, provider):
    """Providers refuse a turn without text."""
    asked, exchange = asking
    exchange.finish("content_filter")
    assert asked.end
    following = provider.expect()
    asked.socket.ask(following.prompt, after=asked)
    assert all(following.request.contents)
    following.finish()


def test_refusal_text_is_shown(asking):
    asked, exchange = asking
    exchange.write_event({"choices": [{"delta": {"refusal": "I will not hum."}}]}).finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.text(asked) == "I will not hum."


@pytest.mark.parametrize(
    ("word", "announced"),
    [("stop", "Answer complete"), ("length", "length limit"), ("content_filter", "content filter")],
)
def test_announcement_matches_the_note(alice, answering, word, announced):
    a = answering(alice)
    a.exchange.finish(word)
    assert announced in a.asked.end["announce"]
    assert ("Answer complete" in a.asked.end["announce"]) == (word == "stop")


def test_stop_before_the_first_word_is_announced(asking):
    asked, _exchange = asking
    asked.stop()
    assert asked.end["announce"] == "Stopped. Nothing was written."


def test_retry_delay_is_announced(asking):
    asked, exchange = asking
    exchange.respond(429, {"Retry-After": "20"})
    assert "Try again in 20 s." in asked.end["announce"]


def test_replacement_is_named_as_the_cause(alice, answering, provider):
    a = answering(alice)
    following = provider.expect()
    a.page.ask(following.prompt, after=a.asked)
    assert a.asked.outcome == ("interrupted", "superseded")
    assert "Stopped by your next message." in a.asked.end["note"]
    following.finish()
