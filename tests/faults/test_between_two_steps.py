"""Whatever happens between two steps, no prompt stays without an answer and no answer without viewers continues.

Database locks hold a step of a server open. Where there is no lock to hold, the test runs a supervisor in its own
process and takes it through the steps one by one.
"""

import asyncio
import time
import uuid
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connection

from conversations.cluster.follower import POLL_INTERVAL, Follower
from conversations.cluster.follower_sql import RemoteGeneration
from conversations.commands import conversation_state, start_transaction, subscribe
from conversations.commands.planned_messages import Requester
from conversations.commands.show_result import attend_all
from conversations.commands.start_commands import CommandExecutor
from conversations.delivery import end_event
from conversations.delivery.broadcast import Broadcast
from conversations.generation import provider_reader
from conversations.models import Conversation, Generation, Message, Presence, Role, ServerProcess
from conversations.models.ids import new_id
from conversations.people.socket_sessions import SignedIn
from conversations.protocol.commands import Send, Watch
from conversations.providers.catalog.model_catalog import catalog
from conversations.rules.send_window import SendWindow
from conversations.rules.status import EndReason, Status
from conversations.storage.db_threads import in_database
from conversations.storage.journal import Journal
from conversations.storage.journal_sql import LOCK
from tests.support import generations
from tests.support.faults import locks
from tests.support.faults.steady_provider import Plan
from tests.support.polling import eventually
from tests.support.provider.endless import RATE, endless
from tests.support.servers import running

ACK_TIMEOUT, GRACE = 1.0, 2.0
STOP_LIMIT = 5.0
"""Seconds within which an answer stops on a busy machine."""


# --- real servers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(database, provider):
    """Two servers that notify each other through the database only and soon notice silence."""
    settings = {"CHAT_ACK_TIMEOUT": ACK_TIMEOUT, "CHAT_RECONNECT_GRACE": GRACE}
    with ExitStack() as stack:
        servers = [stack.enter_context(running(OPENAI_BASE_URL=provider.url, **settings)) for _ in range(2)]
        yield servers
        for server in servers:
            assert "Traceback" not in server.output, server.output


def replayed(person, page, a):
    """Send the command of an answer again; it waits for a lock until the `with` ends."""
    held = locks.locked_rows("auth_user", [person.user.pk])
    held.__enter__()
    page.send("send", id=a.asked.id, content=a.exchange.prompt)
    eventually(lambda: locks.waiting_for_locks() > 0, "the command waits")
    return held


@pytest.mark.parametrize("where", ["at its owner", "at another process"])
def test_replayed_command_makes_no_dead_page_a_viewer(pair, alice, answering, socket, where):
    one, other = pair
    a = answering(alice.at(one))
    there = alice.at(one if where == "at its owner" else other)
    dead, witness = socket(there), socket(there)
    held = replayed(alice, dead, a)
    witness.send("send", id=a.asked.id, content=a.exchange.prompt)
    dead.close()
    held.__exit__(None, None, None)
    assert witness.wait("transcript", id=a.asked.id)
    witness.close()
    a.page.close()
    a.exchange.wait_closed(STOP_LIMIT)
    assert generations.outcome(a.asked.generation) == ("interrupted", "left")


def test_stop_during_a_replayed_command(pair, alice, answering, socket):
    """The repeated command is in progress at a process that does not own the generation."""
    one, other = pair
    a = answering(alice.at(one))
    page = socket(alice.at(other))
    held = replayed(alice, page, a)
    page.stop(id=a.asked.id)
    held.__exit__(None, None, None)
    a.exchange.wait_closed(STOP_LIMIT)
    assert a.asked.outcome == ("interrupted", "stopped")


def test_page_at_another_process_returns_in_time(pair, alice, answering, socket):
    one, other = pair
    a = answering(alice.at(one))
    page = socket(alice.at(other)).subscribe(a.asked)
    a.exchange.stream(endless(), RATE)
    a.page.close()
    page.mute()
    lost = Presence.objects.filter(generation_id=a.asked.generation, cause=EndReason.CONNECTION_LOST)
    eventually(lost.exists, "the page counts as lost")
    page.unmute()
    page.send("ack", received=len(page.events))
    a.exchange.wait_written(len(a.exchange.written) + int(RATE * (GRACE + 1)))
    a.exchange.finish()
    assert page.wait("end", generation=a.asked.generation)["status"] == "complete"
    assert page.text(a.asked.generation) == a.exchange.text.strip()


def test_unknown_stop_reason_stops_only_its_answer(server, alice, bob, answering):
    answers = [answering(person) for person in (alice, bob)]
    rows = Generation.objects.filter(pk__in=[a.asked.generation for a in answers]).order_by("pk")
    rows.filter(pk=rows[0].pk).update(stop_reason="from_tomorrow")
    rows.filter(pk=rows[1].pk).update(stop_reason=EndReason.STOPPED_BY_ADMIN)
    ends = {a.asked.generation: a.asked.outcome[1] for a in answers}
    assert [ends[str(row.pk)] for row in rows] == ["stopped", "stopped_by_admin"]


def test_failed_reap_is_retried(start_server, alice):
    """The row of a generation without a task is locked when it is due."""
    server = start_server(CHAT_SAVE_INTERVAL=0.02)
    owner = ServerProcess.objects.get(pid=server.process.pid)
    generation = streaming_row(alice.user, owner.pk)
    with locks.locked_rows("conversations_generation", [generation.pk]):
        renewed = ServerProcess.objects.get(pk=owner.pk).renewed_at
        ticks = Ticks(owner.pk, renewed)
        eventually(lambda: ticks.count > 40, "it is long overdue", 20)
    assert generations.outcome(str(generation.pk)) == ("interrupted", "server_lost")


class Ticks:
    """Counts the renewals of a process's lease that are seen."""

    def __init__(self, owner, since):
        self._owner, self._last, self._count = owner, since, 0

    @property
    def count(self):
        renewed = ServerProcess.objects.get(pk=self._owner).renewed_at
        self._count += renewed != self._last
        self._last = renewed
        return self._count


def test_reaping_does_not_depend_on_the_save_interval(start_server, alice, answering):
    settings = {"CHAT_SAVE_INTERVAL": 1.5}
    killed, _sweeper = start_server(**settings), start_server(**settings)
    a = answering(alice.at(killed))
    generation = a.asked.generation
    killed.kill()
    assert generations.outcome(generation, 20) == ("interrupted", "server_lost")


# --- a supervisor of the test's own --------------------------------------------------------------------------------


class Page:
    """A socket, as the supervisor sees it."""

    def __init__(self, user):
        self.user_id = user.pk
        self.session, self.language = "session", "en"
        self.signed_in = SignedIn("key", user.pk, user.password)
        self.conversation = None
        self.viewing = set()
        self.send_window = SendWindow(1 << 20, time.monotonic())
        self.lost = False
        self.turn = 0
        self.pinged_at = time.monotonic()
        self.frames = []
        self.caught_up = []

    def next_turn(self):
        self.turn += 1
        return self.turn

    def push(self, frame):
        self.frames.append(frame)

    def offer(self, frame, message):
        self.frames.append(frame)
        return True

    def catch_up(self, message):
        self.caught_up.append(message)

    def close(self, code): ...
    def recheck(self): ...

    def received(self, op):
        return any(f'"op":"{op}"'.encode() in frame for frame in self.frames)


def streaming_row(user, owner):
    """A generation that exists, and streams, only in the database."""
    conversation = Conversation.objects.create(owner=user, client_id=new_id(), title="Bees")
    message = Message.objects.create(
        conversation=conversation, role=Role.ASSISTANT, status=Status.STREAMING, client_id=new_id()
    )
    conversation.head = message
    conversation.save()
    return Generation.objects.create(conversation=conversation, message=message, requested_by=user, owner_id=owner)


@pytest.fixture
def user(alice):
    return alice.user


@pytest.fixture
def page(supervisor, user):
    page = Page(user)
    supervisor.sockets.add(page)
    return page


@pytest.fixture
async def started(supervisor, user):
    """A generation between its commit and its launch."""
    asker = Requester(user, supervisor.process, catalog.offered)
    plan = Plan(rate=100, tokens=3)
    return await in_database(start_transaction.start_generation, asker, Send(id=uuid.uuid4(), content=plan.prompt))


async def until(probe, timeout=10.0):
    limit = time.monotonic() + timeout
    while not probe():
        assert time.monotonic() < limit
        await asyncio.sleep(0.01)


async def outcome(generation):
    return await in_database(generations.outcome, str(generation))


async def test_subscribing_before_the_launch_follows_nothing(supervisor, user, page, started):
    """The launch will show the answer; a process never follows the row of its own generation."""
    await subscribe.watch(supervisor, page, user, Watch(conversation=started.conversation.pk))
    assert started.generation.pk not in supervisor.follower
    live = supervisor.launch(started, user.pk, uuid.uuid4())
    attend_all(supervisor, [], started)
    assert page in live.viewers
    await live.task
    assert not await in_database(Presence.objects.filter(generation_id=live.id).exists)


async def test_subscribing_during_the_end_reads_again(supervisor, user, page, started):
    state = await in_database(conversation_state.for_page, user, Watch(conversation=started.conversation.pk))
    await supervisor.launch(started, user.pk, uuid.uuid4()).task
    subscribe.show_state(supervisor, page, state)
    assert page.caught_up == [started.answer.pk]
    assert started.generation.pk not in supervisor.follower


async def test_failure_at_launch_ends_the_answer_visibly(supervisor, user, page, steady, monkeypatch):
    def fails(*_args):
        raise RuntimeError("out of everything")

    monkeypatch.setattr(supervisor.providers, "acquire", fails)
    executor, command = CommandExecutor(supervisor), Send(id=uuid.uuid4(), content="Tell me about bees")
    executor.execute(page, user, command)
    await until(lambda: page.received("transcript") or page.received("refused"))
    generation = await in_database(Generation.objects.get, message__parent__client_id=command.id)
    assert await outcome(generation.pk) == ("error", "provider_failed")
    assert generation.error_code == "internal"
    assert page.received("transcript")


async def test_failure_while_showing_ends_the_answer_and_refuses(supervisor, user, page, steady, monkeypatch):
    def fails(*_args):
        raise RuntimeError("out of everything")

    monkeypatch.setattr(conversation_state, "after_start", fails)
    monkeypatch.setattr(conversation_state, "after_message", fails)
    executor, plan = CommandExecutor(supervisor), Plan(rate=10, tokens=1000)
    command = Send(id=uuid.uuid4(), content=plan.prompt)
    executor.execute(page, user, command)
    await until(lambda: page.received("refused"))
    generation = await in_database(Generation.objects.get, message__parent__client_id=command.id)
    assert await outcome(generation.pk) == ("error", "provider_failed")
    assert not supervisor.live


async def test_unrenderable_end_is_saved_and_sent(supervisor, user, page, started, monkeypatch):
    def fails(*_args, **_options):
        raise RuntimeError("no such tag")

    monkeypatch.setattr(Broadcast, "finish_text", fails)
    monkeypatch.setattr(end_event, "render", fails)
    live = supervisor.launch(started, user.pk, uuid.uuid4())
    supervisor.viewers.add(live, page)
    live.broadcast.subscribe(page)
    await live.task
    assert await outcome(live.id) == ("complete", "finished")
    assert page.received("end")
    assert not supervisor.live


async def test_missing_usage_does_not_block_an_end(supervisor, user, started, monkeypatch):
    def fails(_self):
        raise RuntimeError("no price")

    monkeypatch.setattr(Generation, "price", fails)
    await supervisor.launch(started, user.pk, uuid.uuid4()).task
    assert await outcome(started.generation.pk) == ("complete", "finished")


async def test_connection_that_does_not_close_does_not_block_an_end(supervisor, user, started, monkeypatch):
    """The cancelled reader still waits for the provider to close its side."""
    monkeypatch.setattr(provider_reader, "CLOSE_TIMEOUT", 0.2)
    reading, over = asyncio.Event(), asyncio.Event()

    async def stream(*_args, **_options):
        reading.set()
        try:
            await over.wait()
        finally:
            await over.wait()

    provider = supervisor.providers.acquire(started.model.endpoint)
    monkeypatch.setattr(type(provider), "stream", stream)
    live = supervisor.launch(started, user.pk, uuid.uuid4())
    await reading.wait()
    live.reader.opened()
    live.stop(EndReason.STOPPED)
    await asyncio.wait_for(live.task, 5)
    over.set()
    assert await outcome(live.id) == ("interrupted", "stopped")
    assert (await in_database(Generation.objects.get, pk=live.id)).upstream_closed_at is None


# --- following --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def following(database):
    """How rows of other processes are followed. Returns (the follower, a list whose function reads the watched
    conversations, what it found). A test may replace the function with one that fails."""
    looks, found = [], []

    def watched():
        return looks[0]()

    made = Follower(new_id(), watched, found.append, lambda _: None)
    yield made, looks, found
    await made.close()


async def test_failed_poll_is_repeated(following, user):
    made, looks, found = following
    generation = await in_database(streaming_row, user, await in_database(another_process))

    def fails():
        looks[0] = lambda: [generation.conversation_id]
        raise RuntimeError("a mistake")

    looks.append(fails)
    made.start()
    await until(lambda: found)
    assert found[0].generation == generation.pk


def another_process():
    return ServerProcess.objects.create(host="elsewhere", pid=1).pk


async def test_subscribing_while_an_end_is_read_shows_it(following, user, monkeypatch):
    made, looks, _found = following
    looks.append(list)
    generation = await in_database(streaming_row, user, await in_database(another_process))
    remote = RemoteGeneration(generation.pk, generation.message_id, generation.conversation_id)
    first, late = Page(user), Page(user)
    read = end_event.load

    async def slowly(*args):
        made.follow(remote, late)
        return await read(*args)

    monkeypatch.setattr(end_event, "load", slowly)
    made.follow(remote, first)
    made.start()
    await until(lambda: first.received("snapshot"))
    await in_database(ended, generation)
    await until(lambda: first.received("end"), POLL_INTERVAL * 10)
    await until(lambda: late.caught_up == [generation.message_id])


def ended(generation):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_generation SET status = 'interrupted', end_reason = 'stopped', ended_at = now()"
            " WHERE id = %s",
            [generation.pk],
        )


# --- the lock of a process --------------------------------------------------------------------------------------------


async def test_process_takes_its_lock_once_it_is_free(database):
    """A reaper tries the locks of other processes, and may hold one at the very moment when its process starts."""
    process = new_id()
    journal = Journal(process, asyncio.get_running_loop(), lambda _: None)
    with await asyncio.to_thread(database_connection) as holder:
        sweeper = holder.info.backend_pid
        holder.execute("SELECT pg_advisory_lock(%s, hashtext(%s::text))", [LOCK, process])
        await asyncio.to_thread(journal.start)
        assert await in_database(holders, process) == [sweeper]
    limit = time.monotonic() + STOP_LIMIT
    while await in_database(holders, process) in ([], [sweeper]):
        assert time.monotonic() < limit
    journal.close()
    await asyncio.to_thread(journal.join, 5)


def database_connection():
    given = connection.settings_dict
    return psycopg.connect(host=given["HOST"], user=given["USER"], dbname=given["NAME"], autocommit=True)


def holders(process):
    """The connections that hold the lock of this process."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = %s"
            " AND objid::bigint = hashtext(%s::text)::bigint & 4294967295",
            [LOCK, process],
        )
        return [pid for (pid,) in cursor.fetchall()]
