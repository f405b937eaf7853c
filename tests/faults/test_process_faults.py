"""Server processes are killed, shut down or frozen, and two processes share one answer."""

import asyncio
import socket as sockets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil
import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from conversations.models import Conversation, Generation
from conversations.storage.db_threads import in_database
from tests.support import generations, people
from tests.support.faults import measurements
from tests.support.faults.checker import Checker
from tests.support.faults.crowd import Crowd, Page
from tests.support.faults.steady_provider import Plan
from tests.support.polling import eventually
from tests.support.provider.endless import RATE, endless
from tests.support.servers import redis, running

LEASE = 2
MAX_LOSS = 0.5
"""Seconds of text that may be lost with a killed process."""
END_LIMIT = 5.0
"""Seconds from a restart until nothing streams any more."""
EXIT_LIMIT = 10.0
"""Seconds from SIGTERM to the exit of the process."""
CLOSE_LIMIT = 2.0
"""Seconds from a sign-out until the sockets are closed, and for a notification on a busy machine."""


def written_before(exchange, moment):
    return "".join(token for token, at in exchange.written if at < moment)


def begin(answering, server, **options):
    """Begin a streaming answer for a person of its own."""
    a = answering(people.new_person("somebody", server), **options)
    a.exchange.stream(endless(), RATE).wait_written(10)
    assert a.asked.generation
    return a


# --- killed --------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(1200)
def test_killed_process_leaves_ended_answers(start_server, answering, long):
    """The next start ends the streaming answers, with all text except that of the last moment."""
    ends, losses = [], []
    server = start_server()
    for _ in range(100 if long else 3):
        a = begin(answering, server)
        generation = a.asked.generation
        moment = time.monotonic()
        server.kill()
        server = server.again()
        ready = time.monotonic()
        assert generations.outcome(generation, END_LIMIT) == ("interrupted", "server_lost")
        ends.append(time.monotonic() - ready)
        kept = generations.text(generation)
        assert a.exchange.text.startswith(kept)
        assert len(kept) >= len(written_before(a.exchange, moment - MAX_LOSS))
        losses.append(seconds_lost(a.exchange, kept, moment))
        Checker([a.exchange], [a.page]).settle().check()
    measurements.note_times("kill -9: ready again → ended as server_lost", ends)
    measurements.note_times("kill -9: lost text, in the time it took to come", losses)
    server.stop()


def seconds_lost(exchange, kept, moment):
    """The age of the oldest token that was written before `moment` and is not saved."""
    length = 0
    for token, at in exchange.written:
        length += len(token)
        if length > len(kept):
            return max(0.0, moment - at)
    return 0.0


# --- shut down -------------------------------------------------------------------------------------------------------


@pytest.fixture
def ending(start_server, steady):
    """A server for many streams that the test shuts down."""
    return start_server(OPENAI_BASE_URL=steady.url, CHAT_MAX_CONCURRENT=1000)


async def streams_at(crowd, steady, count):
    streams = await crowd.ask([Plan() for _ in range(count)])
    for stream in streams:
        await stream.page.wait("delta", generation=stream.generation)
    return streams


@pytest.mark.parametrize("signals", [1, 2])
async def test_shutdown_with_many_streams(ending, steady, long, signals):
    """Also with a second signal, as from an impatient administrator."""
    count = 100 if long else 20
    askers = [people.new_person("crowd", ending) for _ in range(count)]
    async with Crowd(ending, askers) as crowd:
        streams = await streams_at(crowd, steady, count)
        if signals == 2:
            ending.send_signal(15)
        ended = await asyncio.to_thread(ending.stop)
        codes = {await page.closed() for page in crowd.pages}
    measurements.note(
        f"SIGTERM with {count} streams{', twice' if signals == 2 else ''}", f"ended in {ended.seconds:.2f} s"
    )
    assert (ended.code, codes) == (0, {1012})
    assert ended.seconds < EXIT_LIMIT
    rows = await in_database(outcomes, streams)
    assert rows == {("interrupted", "server_shutdown"): count}
    answers = [steady.answer(stream.plan.prompt) for stream in streams]
    await in_database(lambda: Checker(answers, crowd.all_pages).settle().check())
    assert "Traceback" not in ending.output


def outcomes(streams):
    counts = {}
    for stream in streams:
        outcome = generations.outcome(stream.generation)
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


async def test_shutdown_right_after_sockets_opened(ending, steady):
    """Some sockets are half open, some have just said hello, and one has just asked."""
    askers = [people.new_person("crowd", ending) for _ in range(10)]
    plan = Plan()
    async with Crowd(ending, askers) as crowd:
        half_open = [await asyncio.to_thread(sockets.create_connection, ending.address) for _ in range(5)]
        late = [asyncio.create_task(Page(person, ending).open()) for person in askers]
        await crowd.pages[0].ask(plan)
        ended = await asyncio.to_thread(ending.stop)
        codes = {await page.closed() for page in crowd.pages}
        done = await asyncio.gather(*late, return_exceptions=True)
        for each in half_open:
            each.close()
    measurements.note("SIGTERM right after new sockets", f"ended in {ended.seconds:.2f} s")
    assert (ended.code, codes) == (0, {1012})
    assert ended.seconds < EXIT_LIMIT
    for page in done:
        assert isinstance(page, Exception) or await page.closed() in (1006, 1012)
    assert not await in_database(Generation.objects.streaming().filter(requested_by=askers[0].user.pk).exists)
    assert "Traceback" not in ending.output


def test_shutdown_during_a_slow_upload(start_server, answering):
    server = start_server()
    a = begin(answering, server)
    with sockets.create_connection(server.address) as upload:
        upload.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nusername=")
        ended = server.stop()
    measurements.note("SIGTERM during a slow upload", f"ended in {ended.seconds:.2f} s")
    assert ended.code == 0
    assert ended.seconds < EXIT_LIMIT
    assert a.page.wait_closed() == 1012
    assert generations.outcome(a.asked) == ("interrupted", "server_shutdown")
    Checker([a.exchange], [a.page]).settle().check()
    assert "Traceback" not in server.output


# --- frozen ----------------------------------------------------------------------------------------------------------


def test_process_frozen_past_its_lease_is_fenced(start_server, answering):
    """Another process ends the answer; the resumed owner neither writes nor shows anything."""
    owner, _other = start_server(CHAT_LEASE=LEASE), start_server(CHAT_LEASE=LEASE)
    a = begin(answering, owner)
    generation = a.asked.generation
    owner.freeze()
    frozen = time.monotonic()
    assert generations.outcome(generation, LEASE + 15) == ("interrupted", "server_lost")
    measurements.note(
        f"owner frozen, lease {LEASE} s: swept by another process after", f"{time.monotonic() - frozen:.2f} s"
    )
    kept = generations.text(generation)
    a.exchange.wait_written(len(a.exchange.written) + RATE)
    position = len(a.page.events)
    resumed = time.monotonic()
    owner.thaw()
    closed = a.exchange.wait_closed()
    shown = a.page.wait("transcript", after=position, generation=None)
    measurements.note("owner resumed: upstream closed after", f"{closed - resumed:.2f} s")
    assert kept.strip() in people.words(shown["html"])
    after = [event for event in a.page.events[position:] if event.op in ("delta", "end", "snapshot")]
    assert after == []
    assert generations.text(generation) == kept
    Checker([a.exchange], [a.page]).settle().check()
    assert "Traceback" not in owner.output


def test_briefly_frozen_process_loses_nothing(start_server, answering):
    """The answer ends while its process is frozen; the page gets the last words before the end."""
    owner = start_server(CHAT_LEASE=LEASE)
    a = begin(answering, owner)
    owner.freeze()
    frozen = time.monotonic()
    a.exchange.write_tokens("the ", "very ", "last")
    a.exchange.finish(end=False)
    eventually(lambda: time.monotonic() - frozen > LEASE * 0.6, "frozen for most of the lease")
    owner.thaw()
    assert a.asked.outcome == ("complete", "finished")
    assert a.asked.text.endswith("the very last")
    a.exchange.wait_closed()
    Checker([a.exchange], [a.page]).settle().check()


# --- two processes ---------------------------------------------------------------------------------------------------

WAYS = ["notifier", "database", "notifier lost"]
LIMITS = {"notifier": 0.1, "database": 0.6, "notifier lost": 0.6}
SLACK = 1.4
"""Additional seconds for a busy machine."""


@pytest.fixture(scope="module")
def pairs(database, provider):
    """Start two servers that notify each other by Redis or through the database only; returns (one, other, URL of
    Redis)."""
    made = {}
    with ExitStack() as stack:

        def pair(way):
            if way not in made:
                url = stack.enter_context(redis()) if way != "database" else ""
                settings = {"OPENAI_BASE_URL": provider.url, "REDIS_URL": url}
                with ThreadPoolExecutor(2) as threads:  # both start at the same time
                    one, other = threads.map(lambda _: stack.enter_context(running(**settings)), range(2))
                made[way] = one, other, url
            return made[way]

        yield pair
        for one, other, _url in made.values():
            assert "Traceback" not in one.output, one.output
            assert "Traceback" not in other.output, other.output


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def shared(pairs, way, answering, socket):
    """Begin an answer at one server that a page at the other shows; returns (answering, the page, its person there)."""
    one, other, url = pairs(way)

    def begin_shared():
        a = begin(answering, one)
        there = a.page.person.at(other)
        page = socket(there).subscribe(a.asked)
        if way == "notifier lost":
            kill_redis(url)
        return a, page, there

    return begin_shared


def kill_redis(url):
    address = url.removeprefix("unix://")
    for process in psutil.Process().children():
        if process.status() != psutil.STATUS_ZOMBIE and address in " ".join(process.cmdline()):
            process.kill()


def check_shared(*shared):
    there = [page for _, page, _ in shared]
    Checker([a.exchange for a, *_ in shared], [a.page for a, *_ in shared], elsewhere=[there]).settle().check()


@pytest.mark.timeout(180)
def test_stop_at_another_process(shared, way, long):
    closing, telling, seen = [], [], []
    for _ in range(20 if long else 4):
        a, page, there = shared()
        pressed = time.monotonic()
        page.stop(generation=a.asked.generation)
        closing.append(a.exchange.wait_closed() - pressed)
        telling.append(page.wait("end", generation=a.asked.generation).at - pressed)
        assert a.asked.outcome == ("interrupted", "stopped")
        seen.append((a, page, there))
    measurements.note_times(f"two processes ({way}): Stop at the other one → upstream closed", closing)
    measurements.note_times(f"two processes ({way}): Stop at the other one → end on its page", telling)
    assert max(closing) < LIMITS[way] + SLACK
    check_shared(*seen)


def test_answer_grows_on_a_page_at_another_process(shared, way):
    a, page, there = shared()
    lags = []
    for _ in range(5):
        count = len(a.exchange.written)
        a.exchange.wait_written(count + 3)
        word, at = a.exchange.written[count + 2]
        eventually(lambda word=word: word.strip() in page.text(a.asked.generation).split(), "the word there")
        lags.append(time.monotonic() - at)
    measurements.note_times(f"two processes ({way}): token → page at the other one", lags)
    assert max(lags) < 1 + SLACK
    a.exchange.finish()
    assert page.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert page.text(a.asked.generation) == a.exchange.text.strip()
    check_shared((a, page, there))


def test_sign_out_at_another_process(shared, way, long):
    closing = []
    for _ in range(10 if long else 2):
        a, page, there = shared()
        generation = a.asked.generation
        left = time.monotonic()
        assert there.post("/accounts/logout/").status == 302
        closing.append(a.exchange.wait_closed() - left)
        assert (a.page.wait_closed(), page.wait_closed()) == (4401, 4401)
        assert max(a.page.closed_at, page.closed_at) - left < CLOSE_LIMIT
        assert generations.outcome(generation) == ("interrupted", "signed_out")
    measurements.note_times(f"two processes ({way}): sign-out at the other one → upstream closed", closing)
    assert max(closing) < LIMITS[way] + SLACK


def deleted_by_row(a):
    Conversation.objects.get(pk=a.asked.conversation).delete()


def deleted_by_mark(a):
    Conversation.objects.filter(pk=a.asked.conversation).update(deleted_at=timezone.now())


@pytest.mark.parametrize("way", ["database"], indirect=True)
@pytest.mark.parametrize("delete", [deleted_by_row, deleted_by_mark])
def test_conversation_deleted_during_a_stream(shared, delete):
    """The upstream is closed, both pages learn of it, and nothing is written afterwards."""
    a, page, _there = shared()
    generation, conversation = a.asked.generation, a.asked.conversation
    positions = len(a.page.events), len(page.events)
    gone = time.monotonic()
    delete(a)
    closing = a.exchange.wait_closed() - gone
    measurements.note_times(f"conversation {delete.__name__.replace('_', ' ')} → upstream closed", [closing])
    assert closing < CLOSE_LIMIT
    for each, position in zip((a.page, page), positions, strict=True):
        eventually(lambda each=each, position=position: shows_the_deletion(each, position), "the page is told")
    if delete is deleted_by_mark:
        assert generations.outcome(generation) == ("interrupted", "deleted")
        assert a.exchange.text.startswith(generations.text(generation))
    else:
        assert not Conversation.objects.filter(pk=conversation).exists()
        assert not Generation.objects.filter(pk=generation).exists()


def shows_the_deletion(page, position):
    return any(
        (event.op == "end" and event["reason"] == "deleted") or (event.op == "refused" and event["code"] == "not_found")
        for event in page.events[position:]
    )


@pytest.mark.parametrize("way", ["database"], indirect=True)
@pytest.mark.timeout(120)
def test_deleting_a_conversation_during_a_stream_never_fails(shared, long):
    """A piece of text may be saved at the very moment of the deletion."""
    for _ in range(30 if long else 3):
        a, _page, _there = shared()
        a.exchange.stream(endless(), 500)
        deleted_by_row(a)
        a.exchange.wait_closed()


# --- ended sessions at one process -----------------------------------------------------------------------------------


def new_password(person):
    person.user.set_password("another one entirely")
    person.user.save()


def disabled(person):
    person.user.is_active = False
    person.user.save()


def disabled_in_one_query(person):
    get_user_model().objects.filter(pk=person.user.pk).update(is_active=False)


def signed_out(person):
    assert person.post("/accounts/logout/").status == 302


def account_deleted(person):
    get_user_model().objects.get(pk=person.user.pk).delete()


@pytest.mark.parametrize("what", [signed_out, new_password, disabled, disabled_in_one_query, account_deleted])
def test_ended_session_stops_the_answer(server, answering, what):
    """All but the sign-out are done by another process without a notification, and the server still notices."""
    a = begin(answering, server)
    generation = a.asked.generation
    left = time.monotonic()
    what(a.page.person)
    closing = a.exchange.wait_closed() - left
    assert a.page.wait_closed() == 4401
    measurements.note_times(f"{what.__name__.replace('_', ' ')} → upstream closed", [closing])
    measurements.note_times(f"{what.__name__.replace('_', ' ')} → socket closed", [a.page.closed_at - left])
    assert max(a.page.closed_at, a.exchange.closed_at) - left < CLOSE_LIMIT
    if what is account_deleted:
        assert not Generation.objects.filter(pk=generation).exists()
    else:
        assert generations.outcome(generation) == ("interrupted", "signed_out")
        Checker([a.exchange], [a.page]).settle().check()
