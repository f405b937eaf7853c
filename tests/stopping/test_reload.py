"""On a reload the stream continues, although the new page is requested before the old socket closes."""

import re

from tests.support import generations
from tests.support.polling import eventually
from tests.support.provider.endless import RATE, endless


def mark(page):
    """The `data-page` attribute of a page as served."""
    found = re.search(r'data-page="([^"]+)"', page.html)
    assert found, "the page has no data-page"
    return found.group(1)


def test_reload_continues_the_same_stream(alice, answering, socket, provider):
    a = answering(alice)
    a.exchange.stream(endless(), RATE).wait_written(5)
    served = alice.get(f"/c/{a.asked.conversation}/")
    a.page.close()
    fresh = socket(alice)
    fresh.watch(a.asked.conversation, a.asked.message, "streaming", mark(served))
    assert fresh.wait("snapshot", generation=a.asked.generation)
    a.exchange.wait_written(len(a.exchange.written) + RATE)
    a.exchange.finish()
    assert fresh.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert fresh.text(a.asked.generation) == a.exchange.text.strip()
    assert len(provider.asked(a.exchange.prompt)) == 1


def test_reloaded_page_has_the_text_so_far(alice, answering):
    a = answering(alice, "Bees ", "**hum**")
    path = f"/c/{a.asked.conversation}/"
    assert 'data-status="streaming"' in alice.get(path).html
    eventually(lambda: "<strong>hum</strong>" in alice.get(path).html, "the text in the page as served")
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")


def test_page_that_never_connects_is_not_waited_for(start_server, alice, answering):
    server = start_server(CHAT_RECONNECT_GRACE=1)
    a = answering(alice.at(server))
    alice.at(server).get(f"/c/{a.asked.conversation}/")
    a.page.close()
    a.exchange.wait_closed()
    assert generations.outcome(a.asked.generation) == ("interrupted", "left")


def test_other_peoples_page_does_not_keep_an_answer(alice, bob, answering):
    a = answering(alice)
    assert bob.get(f"/c/{a.asked.conversation}/").status == 404
    a.page.close()
    a.exchange.wait_closed(1)
    assert generations.outcome(a.asked.generation) == ("interrupted", "left")


def test_reload_after_the_end_shows_the_final_state(alice, answering, socket):
    a = answering(alice)
    served = alice.get(f"/c/{a.asked.conversation}/")
    a.asked.stop()
    assert a.asked.end
    fresh = socket(alice)
    position = len(fresh.events)
    fresh.watch(a.asked.conversation, a.asked.message, "streaming", mark(served))
    shown = fresh.wait("transcript", after=position)
    assert 'data-status="interrupted"' in shown["html"]
    assert shown["generation"] is None
