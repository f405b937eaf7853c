"""No value from a provider affects other people: whatever a field contains, only that answer ends, with a reason, and
all other answers continue and are saved."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Piece
from conversations.rules.status import STATUS_OF, EndReason
from tests.support import generations
from tests.support.people import new_person
from tests.support.polling import eventually
from tests.support.servers import running
from tests.support.sockets import Socket

NASTY = ["bad\0code", "\ud800", "\udc1d\ud83d", "x" * 5000, "\x1b[2J\r\n", "'; DROP TABLE x; --", "429", "\u202e", ""]
NUMBERS = [2**31, 2**63, 10**40, -1, -(10**40), 1e308, float("inf"), float("nan"), 0, True]

words = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=20))
values = st.recursive(
    st.one_of(st.none(), words, st.sampled_from(NUMBERS), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
DELTA = ("content", "role", "refusal", "reasoning", "reasoning_content", "tool_calls")
deltas = st.dictionaries(st.sampled_from(DELTA), values, max_size=3)
choices = st.fixed_dictionaries(
    {}, optional={"delta": st.one_of(deltas, values), "finish_reason": values, "index": values}
)
usages = st.fixed_dictionaries({"prompt_tokens": values, "completion_tokens": values})
errors = st.fixed_dictionaries({}, optional={"code": values, "type": values, "message": values, "n_ctx": values})
chunks = st.fixed_dictionaries(
    {},
    optional={
        "id": values,
        "model": values,
        "choices": st.one_of(st.lists(choices, max_size=2), values),
        "usage": st.one_of(usages, values),
        "error": st.one_of(errors, values),
    },
)
endings = st.sampled_from(["stop", "length", "error", *NASTY])
bodies = st.one_of(errors, st.fixed_dictionaries({"error": st.one_of(errors, values)}), values)
statuses = st.sampled_from([400, 401, 404, 413, 422, 429, 500, 503])
few = settings(max_examples=40, deadline=None, database=None, suppress_health_check=[*HealthCheck])
many = settings(few, max_examples=1000)


@pytest.fixture(scope="module")
def generous(database, provider):
    """A server whose limits on requests and time allow all these tests."""
    timeouts = dict.fromkeys(("CHAT_FIRST_TOKEN_TIMEOUT", "CHAT_SILENCE_TIMEOUT", "CHAT_RUN_TIMEOUT"), 3600)
    with running(OPENAI_BASE_URL=provider.url, CHAT_MAX_ANSWERS_PER_MINUTE=100_000, **timeouts) as server:
        yield server


@pytest.fixture(scope="module")
def bystander(generous, provider):
    """Returns (asked, exchange) of another person's answer, which streams during all tests and must be complete at the
    end."""
    exchange = provider.expect()
    page = Socket(new_person("bystander", generous), generous.ws_url, origin=generous.url)
    page.wait("hello")
    asked = page.ask(exchange.prompt)
    exchange.write_tokens("Once ")
    asked.wait_text("Once")
    yield asked, exchange
    exchange.finish()
    assert asked.outcome == ("complete", "finished")
    assert generations.text(asked) == exchange.text
    page.close()


@pytest.fixture
def unharmed(alice, generous, bystander):
    """Check the other person's answer and the server."""

    def look():
        asked, exchange = bystander
        exchange.write_tokens("more ")
        written = len(exchange.text)
        eventually(lambda: saved(asked.generation) >= written, "the other's text saved")
        assert alice.at(generous).without_session().get("/readyz").status == 200

    return look


def saved(generation):
    return sum(len(piece.text) for piece in Piece.objects.filter(generation_id=generation))


def check_end(asked):
    """Check the stored end, because an answer that ends before its transcript is sent has no event of its own."""
    status, reason = generations.outcome(asked)
    assert status in ("complete", "error")
    assert STATUS_OF[EndReason(reason)] == status


def sizes(long):
    return many if long else few


@pytest.mark.timeout(600)
def test_chunks_of_any_shape_affect_only_their_answer(alice, generous, socket, provider, unharmed, long):
    page = socket(alice.at(generous))

    @sizes(long)
    @given(events=st.lists(chunks, min_size=1, max_size=4), ending=endings)
    def run(events, ending):
        exchange = provider.expect()
        asked = page.ask(exchange.prompt)
        try:
            for event in events:
                exchange.write_raw(b"data: " + json.dumps(event).encode() + b"\n\n")
            exchange.finish(ending)
        except ConnectionError:
            pass  # the product closed the connection
        check_end(asked)

    run()
    unharmed()


@pytest.mark.timeout(600)
def test_errors_of_any_shape_affect_only_their_answer(alice, generous, socket, provider, unharmed, long):
    page = socket(alice.at(generous))

    @sizes(long)
    @given(status=statuses, body=bodies, wait=st.sampled_from(["", "5", "-1", "9" * 30, "soon"]))
    def run(status, body, wait):
        exchange = provider.expect()
        asked = page.ask(exchange.prompt)
        exchange.respond(status, {"Retry-After": wait}, json.dumps(body).encode())
        check_end(asked)

    run()
    unharmed()


@pytest.mark.parametrize("value", ["bad\0code", "\ud800", "x" * 5000, 2**70])
@pytest.mark.parametrize("field", ["code", "type", "message"])
def test_error_in_the_stream_affects_only_its_answer(alice, generous, answering, unharmed, field, value):
    a = answering(alice.at(generous))
    a.exchange.write_raw(b"data: " + json.dumps({"error": {field: value}}).encode() + b"\n\n")
    check_end(a.asked)
    assert generations.text(a.asked) == "Bees hum"
    unharmed()
