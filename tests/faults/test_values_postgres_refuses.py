"""An answer with values that the database refuses still ends, and nothing else waits for it."""

import asyncio
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Conversation, Generation, Message, Role, StopOrigin, UsageSource
from conversations.models.ids import new_id
from conversations.rules.ending_record import Ending
from conversations.rules.status import STATUS_OF, EndReason, Status
from conversations.storage.journal import Journal
from tests.support import generations
from tests.support.faults.postgres_server import SAVED_TEXT
from tests.support.metrics import request, scrape
from tests.support.polling import TIMEOUT, eventually

HOSTILE = "a\0b\ud800c\udfff"
TICK = 1.5
"""Seconds within which a tick happens, on a busy machine."""

texts = st.text(st.characters(codec=None), max_size=60) | st.sampled_from([HOSTILE, "\0" * 50, "x" * 600])
numbers = st.none() | st.integers() | st.sampled_from([-1, 2**31 - 1, 2**31, 2**63, 10**400])
zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.none() | st.datetimes(timezones=st.none() | zones) | st.just(datetime.max.replace(tzinfo=UTC))
amounts = (
    st.none() | st.decimals() | st.sampled_from([Decimal("99999999.999999999"), Decimal(10) ** 30, Decimal("1e-20")])
)
endings = st.builds(
    Ending,
    generation=st.just(None),
    status=st.sampled_from([status for status in Status if status != Status.STREAMING]),
    reason=st.sampled_from(EndReason),
    text=texts,
    characters=numbers,
    code=texts | numbers,
    detail=texts | numbers,
    retry_after=numbers,
    opened_at=moments,
    first_token_at=moments,
    stop_requested_at=moments,
    stop_origin=texts | st.sampled_from(StopOrigin.values),
    stopped_by=numbers,
    upstream_closed_at=moments,
    tokens_in=numbers | texts,
    tokens_out=numbers,
    usage_source=texts | st.sampled_from(UsageSource.values),
    cost=amounts,
)


class Writer:
    """A process's journal, with rows that it may write to."""

    def __init__(self, user):
        self.user = user
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.journal = Journal(new_id(), self.loop, lambda tick: None)
        self.journal.start()

    def new_generation(self, prefix=""):
        """Create a streaming generation of this process; returns its id."""
        conversation = Conversation.objects.create(owner=self.user, client_id=new_id(), title="Bees")
        message = Message.objects.create(
            conversation=conversation, role=Role.ASSISTANT, status=Status.STREAMING, content=prefix, client_id=new_id()
        )
        row = Generation.objects.create(
            conversation=conversation, message=message, requested_by=self.user, owner_id=self.journal.process
        )
        self.journal.open(row.pk, len(prefix))
        return row.pk

    def end(self, *endings):
        """End all of these at the same moment; returns their results, or None if that takes longer than a tick."""

        async def together():
            futures = [self.journal.end(ending) for ending in endings]
            await asyncio.wait(futures, timeout=TICK)
            return [future.result() if future.done() else None for future in futures], futures

        return asyncio.run_coroutine_threadsafe(together(), self.loop).result(TIMEOUT)

    def close(self):
        self.journal.close()
        assert self.journal.join(TIMEOUT)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(TIMEOUT)
        self.loop.close()


@pytest.fixture(scope="module")
def writer(database):
    made = Writer(get_user_model().objects.create_user(f"writer-{new_id().hex}"))
    yield made
    made.close()


@contextmanager
def refusing(generation):
    """Make the database refuse the end of this generation."""
    name = f"refuse_{new_id().hex}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.id = '{generation}' THEN RAISE check_violation; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER {name} BEFORE UPDATE OF status ON conversations_generation
            FOR EACH ROW EXECUTE FUNCTION {name}();
            """
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP FUNCTION {name} CASCADE")


def saved(generation):
    with connection.cursor() as cursor:
        cursor.execute(SAVED_TEXT, [generation])
        return cursor.fetchone()[0]


def plain(generation, text="Bees hum"):
    return Ending(generation, Status.COMPLETE, EndReason.FINISHED, text, len(text))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(ending=endings)
def test_any_end_is_saved_immediately(writer, ending):
    ending.generation = writer.new_generation()
    writer.journal.append(ending.generation, ending.text)
    [ended], _ = writer.end(ending)
    assert ended is not None
    assert ended.won
    row = Generation.objects.select_related("message").get(pk=ending.generation)
    assert (row.status, row.end_reason) == (STATUS_OF[ending.reason], ending.reason)
    assert row.message.content == ended.text
    assert len(ended.text) == len(ending.text)


def test_any_text_is_saved_by_a_tick(writer):
    bad, good = writer.new_generation(), writer.new_generation()
    writer.journal.append(bad, HOSTILE)
    writer.journal.append(good, "Bees ")
    eventually(lambda: saved(good) == "Bees ", "the text of the other answer", TICK)
    eventually(lambda: len(saved(bad)) == len(HOSTILE), "its own text", TICK)
    writer.journal.append(bad, "hum")
    eventually(lambda: saved(bad).endswith("hum"), "the text that followed", TICK)
    ended, _ = writer.end(plain(bad), plain(good))
    assert all(each.won for each in ended)


def test_permanently_refused_row_does_not_block_others(writer):
    bad, live, *good = (writer.new_generation() for _ in range(7))
    with refusing(bad):
        ended, futures = writer.end(plain(bad), *(plain(each) for each in good))
        assert ended[0] is None
        assert all(each.won for each in ended[1:])
        writer.journal.append(live, "Bees ")
        eventually(lambda: saved(live) == "Bees ", "the text of one that streams", TICK)
        assert writer.journal.unavailable_for() < TICK
    eventually(futures[0].done, "the end saved", 20)
    assert generations.outcome(str(bad)) == ("complete", "finished")
    assert generations.text(str(bad)) == "Bees hum"
    writer.end(plain(live))


def test_refused_end_does_not_affect_other_answers(server, alice, bob, answering):
    """Other answers are saved and end, the server stays ready, and the metrics show the failure."""
    a, b = answering(alice), answering(bob)
    counted = scrape(server)["chat_endings_refused_total",]
    with refusing(a.asked.generation):
        a.exchange.finish()
        a.page.wait("saving", generation=a.asked.generation)
        eventually(lambda: scrape(server)["chat_endings_refused_total",] > counted, "the metric increased")
        b.exchange.write_tokens(" on")
        eventually(lambda: saved(b.asked.generation) == "Bees hum on", "the text of the other answer saved", TICK)
        b.exchange.finish()
        assert b.asked.outcome == ("complete", "finished")
        assert request(server, "/readyz").status == 200
    assert a.page.wait("end", timeout=20, generation=a.asked.generation)["status"] == "complete"
    assert generations.text(a.asked) == "Bees hum"


def test_unstorable_error_code_does_not_affect_other_answers(alice, bob, answering):
    a, b = answering(alice), answering(bob)
    a.exchange.write_event({"error": {"code": "bad\0code"}})
    assert a.asked.outcome[0] == "error"
    b.exchange.write_tokens(" on").finish()
    assert b.asked.outcome == ("complete", "finished")
