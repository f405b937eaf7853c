"""Of two server processes with one database, each shows and stops the other's answers."""

import re
import time
from contextlib import ExitStack

import pytest

from conversations.models import Endpoint
from tests.support import generations, model_admin
from tests.support.servers import redis, running

NOTICE_LIMIT = 2.0
"""Seconds within which a process sees a change in the database; most of them are for busy machines."""


@pytest.fixture(scope="module", params=["database", "redis"])
def pair(request, database, provider):
    """Returns (one, other), two servers that notify each other through the database only, or by Redis as well."""
    settings = {"OPENAI_BASE_URL": provider.url, "CHAT_RECONNECT_GRACE": 2}
    with ExitStack() as stack:
        if request.param == "redis":
            settings["REDIS_URL"] = stack.enter_context(redis())
        yield stack.enter_context(running(**settings)), stack.enter_context(running(**settings))


def test_stop_by_form_at_another_process(pair, alice, answering):
    one, other = pair
    a = answering(alice.at(one))
    pressed = time.monotonic()
    assert alice.at(other).post(f"/generations/{a.asked.generation}/stop/").status == 302
    assert a.exchange.wait_closed() - pressed < NOTICE_LIMIT
    assert a.asked.outcome == ("interrupted", "stopped")
    generation = generations.get(a.asked)
    assert (generation.stop_origin, generation.stopped_by_id) == ("page", alice.user.pk)


def test_stop_by_socket_at_another_process(pair, alice, answering, socket):
    one, other = pair
    a = answering(alice.at(one))
    page = socket(alice.at(other))
    page.watch(a.asked.conversation)
    pressed = time.monotonic()
    page.stop(generation=a.asked.generation)
    assert a.exchange.wait_closed() - pressed < NOTICE_LIMIT
    assert page.wait("end", generation=a.asked.generation)["reason"] == "stopped"


def test_administrator_at_another_process_sees_and_stops_it(pair, alice, staff, answering):
    one, other = pair
    a = answering(alice.at(one), "Bees ", "hum")
    top = "/admin/conversations/generation/"
    row = re.compile(rf"{alice.user.username} \d+ 8 ≈ 2 known only to its process")
    generations.eventually(lambda: row.search(staff.at(other).get(f"{top}running/rows/").text), "the saved words")
    pressed = time.monotonic()
    assert staff.at(other).post(f"{top}{a.asked.generation}/stop/").status == 302
    assert a.exchange.wait_closed() - pressed < NOTICE_LIMIT
    assert a.asked.outcome == ("interrupted", "stopped_by_admin")
    generation = generations.get(a.asked)
    assert (generation.stop_origin, generation.stopped_by_id) == ("admin", staff.user.pk)


def test_answer_grows_on_a_page_at_another_process(pair, alice, answering, socket):
    one, other = pair
    a = answering(alice.at(one))
    page = socket(alice.at(other)).subscribe(a.asked)
    for word in (" and", " dance", " all day"):
        a.exchange.write_tokens(word)
        generations.eventually(
            lambda: page.text(a.asked.generation) == a.exchange.text, "the words on the page at the other server"
        )
    a.exchange.finish()
    assert page.wait("end", generation=a.asked.generation)["status"] == "complete"


def test_code_is_highlighted_at_another_process(pair, alice, answering, socket):
    one, other = pair
    a = answering(alice.at(one))
    page = socket(alice.at(other)).subscribe(a.asked)
    a.exchange.write_tokens("\n\n```python\nimport os\n```").finish()
    assert page.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert '<span class="kn">import</span>' in page.html(a.asked.generation)


def test_viewer_at_another_process_keeps_the_answer_alive(pair, alice, answering, socket):
    one, other = pair
    a = answering(alice.at(one))
    page = socket(alice.at(other)).subscribe(a.asked)
    a.page.close()
    a.exchange.write_tokens(" on")
    generations.eventually(
        lambda: page.text(a.asked.generation) == "Bees hum on", "the words on the page at the other server"
    )
    page.close()
    a.exchange.wait_closed()
    assert generations.outcome(a.asked.generation) == ("interrupted", "left")


def test_new_prompt_at_another_process_replaces_it(pair, alice, answering, socket, provider):
    one, other = pair
    a = answering(alice.at(one))
    following = provider.expect()
    asked = socket(alice.at(other)).ask(following.prompt, after=a.asked)
    following.write_tokens("Next.").finish()
    assert asked.outcome == ("complete", "finished")
    a.exchange.wait_closed(NOTICE_LIMIT)
    assert generations.outcome(a.asked) == ("interrupted", "superseded")


def test_repeat_at_another_process_is_one_send(pair, alice, answering, socket, provider):
    one, other = pair
    a = answering(alice.at(one))
    page = socket(alice.at(other))
    page.send("send", id=a.asked.id, content=a.exchange.prompt)
    assert page.wait("transcript", id=a.asked.id)["generation"] == a.asked.generation
    a.exchange.finish()
    assert page.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert len(provider.asked(a.exchange.prompt)) == 1


def test_signing_out_at_another_process_stops_it(pair, alice, answering):
    one, other = pair
    a = answering(alice.at(one))
    generation = a.asked.generation
    assert alice.at(other).post("/accounts/logout/").status == 302
    a.exchange.wait_closed(NOTICE_LIMIT)
    assert generations.outcome(generation) == ("interrupted", "signed_out")


def test_endpoint_added_at_another_process_works_here(pair, staff, alice, socket, provider):
    one, other = pair
    added = model_admin.endpoint_form(base_url=provider.url, key_variable="OPENAI_API_KEY")
    assert staff.at(other).post(f"{model_admin.ENDPOINTS}add/", **added).status == 302
    endpoint = Endpoint.objects.get(name=added["name"])
    try:
        assert staff.at(other).post(f"{model_admin.ENDPOINTS}{endpoint.pk}/models/", name="gamma-model").status == 302
        key = f"{endpoint.name}::gamma-model"
        model_admin.wait_offered(alice.at(one), key)
        exchange = provider.expect()
        asked = socket(alice.at(one)).ask(exchange.prompt, model=key)
        exchange.write_tokens("Bees.")
        assert staff.at(other).post(f"{model_admin.ENDPOINTS}{endpoint.pk}/delete/", post="yes").status == 302
        model_admin.wait_offered(alice.at(one), key, offered=False)
        exchange.finish()
        assert asked.outcome == ("complete", "finished")
    finally:
        Endpoint.objects.filter(pk=endpoint.pk).delete()
