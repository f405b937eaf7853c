"""The admin shows who stopped an answer, and from where."""

import pytest

from conversations.models import Generation, StopOrigin
from tests.support import generations
from tests.support.people import CSRF


def stopper(generation):
    return generation.stop_origin, generation.stopped_by_id


def test_records_the_page_that_asked(alice, answering):
    a = answering(alice)
    a.asked.stop()
    assert stopper(generations.wait_ended(a.asked)) == (StopOrigin.PAGE, alice.user.pk)


def test_records_the_page_before_it_knows_the_answer(alice, socket, provider):
    exchange = provider.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt)
    page.stop(id=asked.id)
    assert stopper(generations.wait_ended(asked)) == (StopOrigin.PAGE, alice.user.pk)


def test_records_another_page_of_the_same_person(alice, answering, socket):
    a = answering(alice)
    socket(alice).stop(generation=a.asked.generation)
    assert stopper(generations.wait_ended(a.asked)) == (StopOrigin.PAGE, alice.user.pk)


@pytest.mark.parametrize("headers", [{}, {"X-Tab": "first"}], ids=["now", "a page of an older version"])
def test_records_a_page_without_its_socket(alice, answering, headers):
    a = answering(alice)
    alice.request(
        "POST",
        f"/generations/{a.asked.generation}/stop/",
        headers={"X-CSRFToken": CSRF, "Origin": alice.server.url, **headers},
    )
    assert stopper(generations.wait_ended(a.asked)) == (StopOrigin.PAGE, alice.user.pk)


def test_origin_stored_by_an_older_version_keeps_its_label():
    assert Generation(stop_origin="other_page").get_stop_origin_display() == "another page"


def test_records_the_prompt_that_replaced_it(alice, answering, provider):
    a = answering(alice)
    following = provider.expect()
    asked = a.page.ask(following.prompt, after=a.asked)
    following.write_tokens("Next.").finish()
    assert asked.outcome == ("complete", "finished")
    assert stopper(generations.wait_ended(a.asked)) == (StopOrigin.PAGE, alice.user.pk)


def test_records_nobody_when_the_page_was_closed(alice, answering):
    a = answering(alice)
    generation = a.asked.generation
    a.page.close()
    assert stopper(generations.wait_ended(generation)) == (StopOrigin.SERVER, None)


def test_records_nobody_when_it_finished(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert stopper(generations.wait_ended(a.asked)) == ("", None)


def test_records_the_first_who_asked(alice, answering, socket):
    a = answering(alice)
    other = socket(alice)
    a.asked.stop()
    assert a.asked.end
    other.wait("standing", after=other.stop(generation=a.asked.generation))
    assert stopper(Generation.objects.get(pk=a.asked.generation)) == (StopOrigin.PAGE, alice.user.pk)
