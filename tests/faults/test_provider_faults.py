"""The network to the provider fails, and providers fail in rare ways; the common ones are in
tests/providers/test_provider_errors.py. Each answer keeps its text, ends with a reason, and is requested once."""

import gzip
import json
import socket as sockets
import time
from contextlib import ExitStack

import pytest

from tests.support import generations
from tests.support.faults.checker import Checker
from tests.support.leaks import assert_plain_sentence
from tests.support.provider.endless import endless
from tests.support.servers import running
from tests.support.tcp_proxy import Proxy

TIMEOUTS = {
    "CHAT_CONNECT_TIMEOUT": 1,
    "CHAT_FIRST_TOKEN_TIMEOUT": 1.5,
    "CHAT_SILENCE_TIMEOUT": 1.5,
    "CHAT_WORDLESS_TIMEOUT": 2,
    "CHAT_RUN_TIMEOUT": 4,
    "CHAT_MODELS": "alpha-model",
}


@pytest.fixture(scope="module")
def network(provider):
    """The network between the server and its provider."""
    proxy = Proxy(("127.0.0.1", provider.port))
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def behind(database, network):
    """A server that reaches its provider through that network."""
    with running(OPENAI_BASE_URL=f"{network.url}/v1", **TIMEOUTS) as server:
        yield server


@pytest.fixture
def far(alice, behind, answering):
    return lambda *tokens: answering(alice.at(behind), *tokens)


def check_end(a, provider, reason, text="Bees hum"):
    assert a.asked.outcome == ("error", reason)
    assert generations.text(a.asked) == text
    assert_plain_sentence(a.asked)
    assert len(provider.asked(a.exchange.prompt)) == 1
    Checker([a.exchange], [a.page]).settle().check()


def test_connection_reset_by_the_network(far, network, provider):
    a = far()
    network.reset()
    check_end(a, provider, "truncated")


def test_network_to_the_provider_falls_silent(far, network, provider):
    a = far()
    network.silence()
    try:
        assert a.asked.outcome == ("error", "timed_out")
    finally:
        network.resume()
    check_end(a, provider, "timed_out")


def test_stop_while_the_network_is_silent(far, network):
    """The server closes its end at once; the provider learns of it when the network is back."""
    a = far()
    network.silence()
    try:
        a.asked.stop()
        assert a.asked.outcome == ("interrupted", "stopped")
        assert not a.exchange.closed
    finally:
        network.resume()
    a.exchange.wait_closed(1)
    Checker([a.exchange], [a.page]).settle().check()


def test_dripping_stream_is_read_at_any_split(alice, behind, socket, provider, network):
    """A few bytes at a time, so headers, chunk sizes, events and characters arrive in parts."""
    exchange = provider.expect()
    asked = socket(alice.at(behind)).ask(exchange.prompt)
    exchange.wait_opened()
    network.drip(1000)
    try:
        exchange.write_tokens("Bees 🐝 ", "hümmen").finish()
        assert asked.outcome == ("complete", "finished")
    finally:
        network.drip(None)
    assert generations.text(asked) == "Bees 🐝 hümmen"


def test_endless_answer_is_cut_off(far, provider):
    """The provider is neither silent nor done, so the limit for the whole answer ends it."""
    a = far("Bees hum ")
    a.exchange.stream(endless(), 20)
    a.exchange.wait_closed(TIMEOUTS["CHAT_RUN_TIMEOUT"] + 2)
    assert a.asked.outcome == ("error", "timed_out")
    assert a.exchange.text.startswith(generations.text(a.asked))
    Checker([a.exchange], [a.page]).settle().check()


def test_endless_comments_do_not_count_as_text(far, provider):
    a = far()
    for _ in range(100):
        if a.exchange.closed:
            break
        try:
            a.exchange.write_raw(b": OPENROUTER PROCESSING\n\n")
        except ConnectionError:
            break
        if a.page.count("end"):
            break
        a.page.connection.ping().wait(0.05)
    check_end(a, provider, "timed_out")


def test_unreachable_provider_times_out(database, alice, socket):
    """An address that neither accepts nor refuses connections."""
    with ExitStack() as stack:
        hole = stack.enter_context(sockets.socket())
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(3):  # then the queue is full, so the system answers nobody
            waiting = stack.enter_context(sockets.socket())
            waiting.setblocking(False)
            waiting.connect_ex(hole.getsockname())
        url = f"http://127.0.0.1:{hole.getsockname()[1]}/v1"
        server = stack.enter_context(
            running(OPENAI_BASE_URL=url, **TIMEOUTS | {"CHAT_FIRST_TOKEN_TIMEOUT": 9, "CHAT_RUN_TIMEOUT": 9})
        )
        began = time.monotonic()
        asked = socket(alice.at(server)).ask("Is anybody there?")
        assert asked.outcome == ("error", "provider_unreachable")
        assert time.monotonic() - began < 5 * TIMEOUTS["CHAT_CONNECT_TIMEOUT"]
        assert_plain_sentence(asked)


@pytest.mark.parametrize(
    ("wait", "sentence"), [("0", "in a moment"), ("3", "in 3 s"), ("120", "in 120 s"), ("", "moment")]
)
def test_rate_limit_is_explained(asking, provider, wait, sentence):
    asked, exchange = asking
    exchange.respond(429, {"Retry-After": wait})
    assert asked.outcome == ("error", "rate_limited")
    assert sentence in asked.end["note"]
    assert len(provider.asked(exchange.prompt)) == 1
    assert_plain_sentence(asked)


ANSWERS = {
    "empty": (200, {"Content-Type": "text/event-stream"}, b""),
    "no content": (204, {}, b""),
    "not modified": (304, {}, b""),
    "one JSON object": (200, {}, {"choices": [{"message": {"content": "Bees"}, "finish_reason": "stop"}]}),
    "an error with status 200": (200, {}, {"error": {"message": "no"}}),
    "compressed nonsense": (200, {"Content-Encoding": "gzip"}, b"Bees"),
    "nested deep": (200, {"Content-Type": "text/event-stream"}, b"data: " + b'{"error":' * 50_000 + b"\n\n"),
}


@pytest.mark.parametrize("which", ANSWERS)
def test_response_that_is_no_stream_is_an_error(asking, provider, which):
    asked, exchange = asking
    status, headers, body = ANSWERS[which]
    exchange.respond(status, headers, body)
    assert asked.end["status"] == "error"
    assert generations.text(asked) == ""
    assert len(provider.asked(exchange.prompt)) == 1
    assert_plain_sentence(asked)


def test_compressed_stream_is_read(asking):
    asked, exchange = asking
    lines = [{"choices": [{"delta": {"content": "Bees hum"}}]}, {"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    data = b"".join(b"data: " + json.dumps(line).encode() + b"\n\n" for line in lines)
    exchange.respond(200, {"Content-Encoding": "gzip"}, gzip.compress(data))
    assert asked.outcome == ("complete", "finished")
    assert generations.text(asked) == "Bees hum"


def test_invalid_http_chunks_are_an_error(far, provider):
    """The connection is closed at once; only the silence shows that nothing more can arrive."""
    a = far()
    a.exchange._do(a.exchange._put(b"zz\r\nnonsense\r\n"))
    a.exchange.wait_closed(1)
    assert a.asked.outcome in {("error", "truncated"), ("error", "timed_out")}
    check_end(a, provider, a.asked.end["reason"])


def test_line_of_ten_megabytes_is_cut_off(alice, answering, provider):
    """The line exceeds CHAT_MAX_LINE; the rest is not read."""
    a = answering(alice)
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(ConnectionError))
        a.exchange.write_raw(b'data: {"choices": [{"delta": {"content": "')
        for _ in range(160):
            a.exchange.write_raw(b"x" * 65_536)
        a.exchange.wait_closed(2)
        raise ConnectionError
    check_end(a, provider, "too_large")


def test_text_after_the_finish_reason_is_ignored(alice, answering):
    a = answering(alice)
    a.exchange.finish(done=False, end=False)
    a.exchange.write_event({"choices": [{"delta": {"content": " and more"}}]})
    a.exchange.write_event({"choices": [{"delta": {}, "finish_reason": "length"}]})
    a.exchange.end()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == "Bees hum"


def test_text_and_finish_reason_in_one_event(alice, answering):
    a = answering(alice)
    a.exchange.write_event({"choices": [{"delta": {"content": " on"}, "finish_reason": "length"}]}).end()
    assert a.asked.outcome == ("complete", "length")
    assert generations.text(a.asked) == "Bees hum on"


def test_error_after_the_finish_reason_is_ignored(alice, answering):
    """The answer was complete before the error."""
    a = answering(alice)
    a.exchange.finish(done=False, end=False)
    a.exchange.write_event({"error": {"message": "late"}}).end()
    assert a.asked.outcome == ("complete", "finished")


@pytest.mark.parametrize("error", ["a word", 17, [], {"message": None}, {"code": {"deep": [1]}}, {"type": "x" * 5000}])
def test_odd_error_objects_are_harmless(alice, answering, provider, error):
    a = answering(alice)
    a.exchange.write_event({"error": error})
    check_end(a, provider, "provider_failed")
