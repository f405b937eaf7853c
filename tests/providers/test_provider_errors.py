"""When the provider fails, the text is kept, and one sentence says what happened and what to do."""

import pytest

from tests.support import generations
from tests.support.environment import CANARY_KEY
from tests.support.leaks import assert_plain_sentence
from tests.support.provider.http import event
from tests.support.servers import free_port, running

LIMITS = {
    "CHAT_FIRST_TOKEN_TIMEOUT": 1,
    "CHAT_SILENCE_TIMEOUT": 1,
    "CHAT_MAX_LINE": 2048,
    "CHAT_MAX_ANSWER": 100,
}
REVEALING = {"error": {"message": f"Bad key {CANARY_KEY} at http://127.0.0.1:1/v1, code 17", "code": "secret_code"}}


@pytest.fixture(scope="module")
def impatient(database, provider):
    """A server with short timeouts and low limits."""
    with running(OPENAI_BASE_URL=provider.url, **LIMITS) as server:
        yield server


@pytest.fixture
def asking_impatiently(unanswered, alice, impatient):
    return unanswered(alice.at(impatient))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "provider_rejected"),
        (401, "provider_rejected"),
        (403, "provider_rejected"),
        (404, "provider_rejected"),
        (429, "rate_limited"),
        (500, "provider_failed"),
        (503, "provider_failed"),
        (529, "provider_failed"),
    ],
)
def test_refusal_is_explained(asking, status, reason):
    asked, exchange = asking
    exchange.respond(status, body=REVEALING)
    assert asked.outcome == ("error", reason)
    assert generations.get(asked).error_code == str(status)
    assert_plain_sentence(asked)


def test_rate_limit_says_how_long_to_wait(asking):
    asked, exchange = asking
    exchange.respond(429, {"Retry-After": "20"}, REVEALING)
    assert asked.outcome == ("error", "rate_limited")
    assert "Try again in 20" in asked.end["note"]


@pytest.mark.parametrize("wait", ["-1", "soon", "1e9", "99999999999999999999", "Wed, 21 Oct 2015 07:28:00 GMT", "²"])
def test_odd_retry_after_is_harmless(asking, wait):
    asked, exchange = asking
    exchange.respond(429, {"Retry-After": wait.encode().decode("latin-1")}, REVEALING)
    assert asked.outcome == ("error", "rate_limited")
    assert_plain_sentence(asked)


def test_failed_request_is_not_retried(asking, provider):
    asked, exchange = asking
    exchange.respond(503, {"Retry-After": "0"}, REVEALING)
    assert asked.outcome == ("error", "provider_failed")
    assert len(provider.asked(exchange.prompt)) == 1


def test_redirect_is_not_followed(asking, provider):
    asked, exchange = asking
    exchange.respond(307, {"Location": provider.url + "/chat/completions"})
    assert asked.end["status"] == "error"
    assert len(provider.asked(exchange.prompt)) == 1
    assert_plain_sentence(asked)


@pytest.mark.parametrize("status", [200, 502])
def test_html_instead_of_a_stream_is_an_error(asking, status):
    asked, exchange = asking
    exchange.respond(status, {"Content-Type": "text/html"}, b"<html><script>alert(1)</script>Bad gateway</html>")
    assert asked.outcome == ("error", "provider_failed")
    assert generations.text(asked) == ""
    assert_plain_sentence(asked)


def test_refused_connection_is_explained(start_server, alice, socket):
    server = start_server(OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1", CHAT_MODELS="alpha-model")
    asked = socket(alice.at(server)).ask("Is anybody there?")
    assert asked.outcome == ("error", "provider_unreachable")
    assert_plain_sentence(asked)


def test_error_in_the_stream_keeps_the_text(alice, answering):
    a = answering(alice)
    a.exchange.write_event(REVEALING)
    assert a.asked.outcome == ("error", "provider_failed")
    assert generations.text(a.asked) == "Bees hum" == a.asked.text
    a.exchange.wait_closed()
    assert_plain_sentence(a.asked)


@pytest.mark.parametrize("data", [b"data: {broken\n\n", b'data: "text"\n\n', b"data: [1]\n\n", b"data: \xff\xfe\n\n"])
def test_malformed_data_keeps_the_text(alice, answering, data):
    a = answering(alice)
    a.exchange.write_raw(data)
    assert a.asked.outcome == ("error", "provider_failed")
    assert generations.text(a.asked) == "Bees hum"
    assert_plain_sentence(a.asked)


@pytest.mark.parametrize("how", ["end", "cut"])
def test_broken_stream_is_not_complete(alice, answering, how):
    a = answering(alice)
    getattr(a.exchange, how)()
    assert a.asked.outcome == ("error", "truncated")
    assert generations.text(a.asked) == "Bees hum" == a.asked.text
    assert_plain_sentence(a.asked)


def test_done_without_a_finish_reason_is_not_complete(alice, answering):
    a = answering(alice)
    a.exchange.write_raw(b"data: [DONE]\n\n")
    assert a.asked.outcome == ("error", "truncated")


def test_connection_cut_before_any_output_is_an_error(asking):
    asked, exchange = asking
    exchange.send_headers().cut()
    assert asked.end["status"] == "error"
    assert_plain_sentence(asked)


@pytest.mark.parametrize("comments", [False, True])
def test_missing_first_token_times_out(asking_impatiently, comments):
    asked, exchange = asking_impatiently
    if comments:
        exchange.write_raw(b": OPENROUTER PROCESSING\n\n" * 3)
    exchange.wait_closed()
    assert asked.outcome == ("error", "timed_out")
    assert_plain_sentence(asked)


@pytest.mark.parametrize("comments", [False, True])
def test_silence_after_the_first_token_times_out(asking_impatiently, comments):
    asked, exchange = asking_impatiently
    exchange.write_tokens("Bees")
    if comments:
        exchange.write_raw(b": OPENROUTER PROCESSING\n\n" * 3)
    exchange.wait_closed()
    assert asked.outcome == ("error", "timed_out")
    assert generations.text(asked) == "Bees"


def test_endless_line_is_cut_off(asking_impatiently):
    asked, exchange = asking_impatiently
    exchange.write_raw(event(chunk(delta={"content": "Bees"})) + b"data: " + b"x" * 3000)
    exchange.wait_closed()
    assert asked.end["status"] == "error"
    assert asked.end["reason"] in ("too_large", "provider_failed")
    assert generations.text(asked) == "Bees"


def test_endless_answer_is_cut_off(asking_impatiently):
    asked, exchange = asking_impatiently
    exchange.write_tokens("x" * 60, "y" * 60)
    exchange.wait_closed()
    assert asked.outcome == ("error", "too_large")
    assert generations.text(asked) == "x" * 60 + "y" * 40


def chunk(**choice):
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, **choice}]}


ODD_BUT_FINE = {
    "null content": [{"choices": [{"delta": {"content": None}}]}],
    "no choices": [{"choices": []}, {"choices": None}, {}],
    "no delta": [{"choices": [{"finish_reason": None}]}],
    "a role": [chunk(delta={"role": "assistant", "content": ""})],
    "reasoning": [chunk(delta={"reasoning_content": "Hmm, bees."}), chunk(delta={"reasoning": "Bees!"})],
    "a tool call": [chunk(delta={"tool_calls": [{"function": {"name": "bee"}}]})],
    "usage on the way": [{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}, {"usage": None}],
    "unknown fields": [{"choices": [], "service_tier": "x", "obfuscation": "abc"}],
}


@pytest.mark.parametrize("events", ODD_BUT_FINE.values(), ids=ODD_BUT_FINE)
def test_odd_events_are_harmless(alice, answering, events):
    a = answering(alice)
    for each in events:
        a.exchange.write_event(each)
    a.exchange.write_tokens(" on").finish()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == "Bees hum on"


ODD_BYTES = {
    "comments": (b": ping\n\n:\n\n", ""),
    "carriage returns": (b'data: {"choices": [{"delta": {"content": " crlf"}}]}\r\n\r\n', " crlf"),
    "no space": (b'data:{"choices": [{"delta": {"content": " close"}}]}\n\n', " close"),
    "event names": (b'event: message\nid: 7\nretry: 10\ndata: {"choices": [{"delta": {"content": " x"}}]}\n\n', " x"),
    "NUL": (b'data: {"choices": [{"delta": {"content": "\\u0000 nul"}}]}\n\n', " nul"),
    "half a surrogate": (b'data: {"choices": [{"delta": {"content": " \\ud83d\\udc1d"}}]}\n\n', " 🐝"),
}


@pytest.mark.parametrize(("data", "text"), ODD_BYTES.values(), ids=ODD_BYTES)
def test_odd_bytes_are_harmless(alice, answering, data, text):
    a = answering(alice)
    a.exchange.write_raw(data).finish()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == "Bees hum" + text


def test_character_split_across_chunks_is_kept(alice, answering):
    a = answering(alice)
    data = 'data: {"choices": [{"delta": {"content": " 🐝"}}]}\n\n'.encode()
    middle = data.index("🐝".encode()) + 2
    a.exchange.write_raw(data[:middle]).write_raw(data[middle:]).finish()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == "Bees hum 🐝"


def test_missing_done_after_the_finish_reason_is_accepted(alice, answering):
    a = answering(alice)
    a.exchange.finish(done=False)
    assert a.asked.outcome == ("complete", "finished")


@pytest.mark.parametrize("done", [True, False])
def test_socket_kept_open_after_the_end_is_closed(alice, answering, done):
    a = answering(alice)
    a.exchange.finish(done=done, end=False)
    assert a.asked.outcome == ("complete", "finished")
    a.exchange.wait_closed()


def test_broken_socket_after_the_finish_reason_is_harmless(alice, answering):
    a = answering(alice)
    a.exchange.finish(done=False, end=False).cut()
    assert a.asked.outcome == ("complete", "finished")


def test_next_prompt_works_after_an_error(alice, answering, provider):
    a = answering(alice)
    a.exchange.cut()
    assert a.asked.end
    again = provider.expect(a.exchange.prompt)
    asked = a.page.regenerate(a.asked.message)
    again.write_tokens("Better.").finish()
    assert asked.outcome == ("complete", "finished")
