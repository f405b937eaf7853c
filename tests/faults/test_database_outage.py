"""PostgreSQL restarts, freezes, stops or is busy: answers continue, Stop works, and no saved text is lost.

Most tests share one server, which has to survive all of them. A server that has to give up does so after
`STORAGE_TIMEOUT` seconds instead of 30; `--long` uses the real times.
"""

import time
import uuid

import pytest

from tests.support import generations, people, servers
from tests.support.faults import locks, measurements, postgres_server
from tests.support.faults.checker import Checker
from tests.support.polling import eventually
from tests.support.provider.endless import RATE, endless

STORAGE_TIMEOUT = 3
LEASE = 2
SAVE_LIMIT = 2.0
"""Seconds from the return of the database until all text is saved."""
CLOSE_LIMIT = 0.5
"""Seconds from Stop until the provider's socket is closed, on a busy machine."""


@pytest.fixture(scope="module")
def postgres(database):
    with postgres_server.own_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def usual_server(postgres, provider):
    """A server with the default timeouts."""
    with servers.running(OPENAI_BASE_URL=provider.url, DATABASE_URL=postgres.url) as server:
        yield server
    assert "Traceback" not in server.output, server.output


@pytest.fixture
def streaming(answering, usual_server):
    """Begin a streaming answer for a person of its own."""

    def begin(server=usual_server):
        a = answering(people.new_person("somebody", server))
        a.exchange.stream(endless(), RATE).wait_written(10)
        assert a.asked.generation
        return a

    return begin


@pytest.fixture(autouse=True)
def restored(postgres):
    """Restore the database for the next test, however this one ends."""
    yield
    postgres.restore()


def check(*answers):
    Checker([a.exchange for a in answers], [a.page for a in answers]).settle().check()


def seconds_until_saved(postgres, a):
    """The time from now, when the database is back, until the text written so far is saved."""
    back = time.monotonic()
    written = "".join(token for token, at in a.exchange.written if at <= back)
    eventually(lambda: len(postgres.saved(a.asked.generation)) >= len(written), "the text written meanwhile saved")
    return time.monotonic() - back


def goes_on_and_completes(a):
    a.exchange.wait_written(len(a.exchange.written) + RATE // 2)
    a.exchange.finish()
    assert a.asked.outcome == ("complete", "finished")
    assert generations.text(a.asked) == a.exchange.text
    assert a.asked.text == a.exchange.text.strip()


def seconds_to_close(a):
    """Press Stop; returns how long the provider's socket took to close."""
    pressed = a.asked.stop()
    return a.exchange.wait_closed() - pressed


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_answers_survive_a_database_restart(postgres, streaming, mode):
    a = streaming()
    postgres.restart(mode)
    took = seconds_until_saved(postgres, a)
    measurements.note_times(f"PostgreSQL restarted ({mode}): back → saved", [took])
    assert took < SAVE_LIMIT
    goes_on_and_completes(a)
    check(a)


def test_answers_survive_a_frozen_database(postgres, streaming, long):
    goes_on, *stopped = (streaming() for _ in range(2 if not long else 11))
    postgres.freeze()
    try:
        goes_on.exchange.wait_written(len(goes_on.exchange.written) + (5 * RATE if long else RATE))
        closing = [seconds_to_close(a) for a in stopped]
        for a in stopped:
            a.page.wait("saving", generation=a.asked.generation)
            assert a.page.count("end") == 0
    finally:
        postgres.thaw()
    back = time.monotonic()
    took = seconds_until_saved(postgres, goes_on)
    measurements.note_times("PostgreSQL frozen: Stop → upstream closed", closing)
    measurements.note_times("PostgreSQL frozen: back → saved", [took])
    measurements.note_times("PostgreSQL frozen: back → end on the page", [a.asked.end.at - back for a in stopped])
    assert max(closing) < CLOSE_LIMIT
    assert took < SAVE_LIMIT
    for a in stopped:
        assert a.asked.outcome == ("interrupted", "stopped")
        assert a.asked.end.at - back < SAVE_LIMIT
        before = "".join(token for token, at in a.exchange.written if at < a.exchange.closed_at - 0.2)
        assert generations.text(a.asked).startswith(before)
    goes_on_and_completes(goes_on)
    check(goes_on, *stopped)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_database_frozen_longer_than_a_lease(postgres, start_server, streaming, long):
    """The leases of two processes expire while the database is frozen; neither process may consider the other dead."""
    settings = {"DATABASE_URL": postgres.url, "CHAT_LEASE": LEASE}
    servers = [start_server(**settings) for _ in range(2)]
    answers = [streaming(server) for server in servers]
    for _ in range(8 if long else 1):
        postgres.freeze()
        for a in answers:
            a.exchange.wait_written(len(a.exchange.written) + int(RATE * LEASE * 1.5))
        postgres.thaw()
        for a in answers:  # processes reap every two seconds
            a.exchange.wait_written(len(a.exchange.written) + int(RATE * 3))
    for a in answers:
        goes_on_and_completes(a)
    check(answers[0])
    check(answers[1])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seconds", [5, pytest.param(8, marks=pytest.mark.long)])
def test_frozen_database_with_viewers_at_another_process(postgres, start_server, streaming, socket, seconds):
    """That process reports its viewers late, with the database's time; they still count as present."""
    one, other = (start_server(DATABASE_URL=postgres.url) for _ in range(2))
    a, b = streaming(one), streaming(one)
    page = socket(a.page.person.at(other)).subscribe(a.asked)
    generation = a.asked.generation
    a.page.close()
    postgres.freeze()
    for each in (a, b):
        each.exchange.wait_written(len(each.exchange.written) + seconds * RATE, seconds + 10)
    postgres.thaw()
    for each in (a, b):  # a process that stays silent longer counts as gone
        each.exchange.wait_written(len(each.exchange.written) + 5 * RATE)
        each.exchange.finish()
    assert page.wait("end", generation=generation)["status"] == "complete"
    assert page.text(generation) == a.exchange.text.strip()
    assert generations.text(generation) == a.exchange.text
    assert b.asked.outcome == ("complete", "finished")
    check(b)


def outage_loses_nothing(postgres, streaming, seconds):
    """Stop the database for some seconds: Stop works meanwhile, and the text is saved afterwards."""
    a, stopped = streaming(), streaming()
    postgres.stop("fast")
    gone = time.monotonic()
    closing = seconds_to_close(stopped)
    eventually(lambda: time.monotonic() - gone >= seconds, "the time is over", seconds + 5)
    assert not a.exchange.closed
    postgres.start()
    took = seconds_until_saved(postgres, a)
    measurements.note_times(f"PostgreSQL away for {seconds:g} s: Stop → upstream closed", [closing])
    measurements.note_times(f"PostgreSQL away for {seconds:g} s: back → saved", [took])
    assert closing < CLOSE_LIMIT
    assert took < SAVE_LIMIT
    assert stopped.asked.outcome == ("interrupted", "stopped")
    goes_on_and_completes(a)
    check(a, stopped)


def test_answers_survive_a_brief_outage(postgres, usual_server, streaming, socket, provider):
    outage_loses_nothing(postgres, streaming, 2)
    new_prompt_is_answered(usual_server, socket, provider, "PostgreSQL away for 2 s: saved → a new prompt answered")


@pytest.mark.long
def test_answers_survive_a_ten_second_outage(postgres, streaming):
    outage_loses_nothing(postgres, streaming, 10)


def outage_ends_answer(postgres, a, timeout, seconds):
    """Stop the database for longer than the timeout: the upstream is closed then, and the pages get the end
    afterwards."""
    postgres.stop("immediate")
    gone = time.monotonic()
    closed = a.exchange.wait_closed(timeout + 10) - gone
    a.page.wait("saving", generation=a.asked.generation)
    eventually(lambda: time.monotonic() - gone >= seconds, "the time is over", seconds + 5)
    assert a.page.count("end") == 0
    postgres.start()
    back = time.monotonic()
    end = a.page.wait("end", generation=a.asked.generation)
    measurements.note(f"PostgreSQL away, timeout {timeout} s", f"upstream closed after {closed:.2f} s")
    measurements.note_times(f"PostgreSQL away for {seconds} s: back → end on the page", [end.at - back])
    assert timeout - 0.5 < closed < timeout + 2
    assert (end["status"], end["reason"]) == ("error", "storage")
    assert "could not be saved" in end["note"]
    assert a.exchange.text.startswith(generations.text(a.asked))
    check(a)


def test_outage_longer_than_the_timeout_ends_answers(postgres, start_server, streaming):
    server = start_server(DATABASE_URL=postgres.url, CHAT_STORAGE_PATIENCE=STORAGE_TIMEOUT)
    outage_ends_answer(postgres, streaming(server), STORAGE_TIMEOUT, STORAGE_TIMEOUT + 1)
    assert "Traceback" not in server.output


@pytest.mark.long
@pytest.mark.timeout(180)
def test_forty_second_outage_ends_answers(postgres, usual_server, streaming, socket, provider):
    outage_ends_answer(postgres, streaming(), 30, 40)
    new_prompt_is_answered(usual_server, socket, provider, "PostgreSQL away for 40 s: back → a new prompt answered")


def new_prompt_is_answered(server, socket, provider, case):
    """A person asks right after the database returns."""
    person = people.new_person("somebody", server)
    back = time.monotonic()
    page = socket(person)
    exchange = provider.expect()
    asked = page.ask(exchange.prompt)
    exchange.wait_opened(20)
    measurements.note(case, f"{exchange.opened_at - back:.2f} s")
    exchange.write_tokens("Here.").finish()
    assert asked.outcome == ("complete", "finished")


@pytest.mark.long
def test_prompt_during_an_outage_is_refused_with_a_sentence(postgres, usual_server, socket, provider):
    page = socket(people.new_person("somebody", usual_server))
    postgres.stop()
    exchange = provider.expect()
    asked_at = time.monotonic()
    position = page.send("send", id=str(uuid.uuid4()), content=exchange.prompt)
    refused = page.wait("refused", timeout=20, after=position)
    postgres.start()
    measurements.note("PostgreSQL away: a new prompt is refused after", f"{refused.at - asked_at:.2f} s")
    assert refused["code"] == "busy"
    assert not provider.asked(exchange.prompt)
    new_prompt_is_answered(usual_server, socket, provider, "PostgreSQL away: back → a new prompt answered")


def test_exhausted_pool_loses_nothing(postgres, provider, socket, answering, start_server):
    """All connections for sends wait for rows that another connection has locked."""
    server = start_server(DATABASE_URL=postgres.url, DATABASE_POOL_SIZE=4, DATABASE_LOCK_TIMEOUT=30)
    a = answering(people.new_person("alice", server))
    a.exchange.stream(endless(), RATE).wait_written(10)
    others = [people.new_person("bob", server) for _ in range(2)]
    pages = [socket(person) for person in others]
    waiting = [provider.expect() for _ in others]
    with locks.locked_rows("auth_user", [person.user.pk for person in others]):
        asked = [page.ask(exchange.prompt) for page, exchange in zip(pages, waiting, strict=True)]
        eventually(lambda: locks.waiting_for_locks() == 2, "both connections wait")
        a.exchange.wait_written(len(a.exchange.written) + RATE)
        closing = seconds_to_close(a)
        end = a.page.wait("end", generation=a.asked.generation)
        end_delay = end.at - a.exchange.closed_at
        assert (end["status"], end["reason"]) == ("interrupted", "stopped")
    measurements.note_times("pool exhausted: Stop → upstream closed", [closing])
    measurements.note_times("pool exhausted: Stop → end on the page", [end_delay])
    assert closing < CLOSE_LIMIT
    assert end_delay < SAVE_LIMIT
    for one, exchange in zip(asked, waiting, strict=True):
        exchange.write_tokens("Here.").finish()
        assert one.outcome == ("complete", "finished")
    check(a)
    assert "Traceback" not in server.output


def test_readiness_fails_during_an_outage(postgres, usual_server):
    probe = people.Person(None, "", usual_server)
    assert probe.get("/readyz").status == 200
    postgres.stop("immediate")
    away = eventually(lambda: (page := probe.get("/readyz")).status == 503 and page.html, "not ready")
    assert away in ("not ready: database\n", "not ready: journal\n")
    assert probe.get("/healthz").status == 200
    postgres.start()
    eventually(lambda: probe.get("/readyz").status == 200, "ready again", 30)


@pytest.mark.long
def test_pages_report_the_outage_and_recover(postgres, usual_server):
    person = people.new_person("somebody", usual_server)
    assert person.get("/").status == 200
    postgres.stop("immediate")
    away = eventually(lambda: (page := person.get("/")).status == 503 and page, "a page that says so", 30)
    assert '<a class="button" href="">Try again</a>' in away.html
    assert away.headers["Retry-After"]
    posted = person.post("/accounts/login/", username="somebody", password="x")
    assert posted.status == 503
    assert "Go back and try again" in posted.html
    assert 'href=""' not in posted.html
    postgres.start()
    eventually(lambda: person.get("/").status == 200, "the page again", 30)
