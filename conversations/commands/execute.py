"""From a command that asks to a generation that runs; and from a stop to one that ends. Tasks of the supervisor's."""

import asyncio
import logging
import uuid
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import translation

from conversations.delivery.sockets import Socket
from conversations.generation.generation import INTERNAL
from conversations.generation.started import Started
from conversations.generation.supervisor import ASK, Supervisor
from conversations.protocol import events
from conversations.protocol.commands import Send, StartCommand
from conversations.protocol.refusal import Refusal
from conversations.providers import context_window
from conversations.providers.model_catalog import catalog
from conversations.rendering import worker
from conversations.rules.lifecycle import Outcome
from conversations.rules.status import EndReason, Status
from conversations.rules.stop_request import StopRequest
from conversations.storage import fair_share
from conversations.storage.db_threads import AWAY, in_database

from . import conversation_state, start
from .end_generation import OWN_END_TIMEOUT, end_and_wait, request_end
from .refusals import busy_sentence, failed, stopping_sentence
from .start import Repeated, Requester, StillRunning
from .subscribe import show_state

logger = logging.getLogger(__name__)


MAX_COUNTS = 10
"""How often a command may find texts that have to be counted first: usually once. More texts than are remembered would
be found uncounted for ever."""

MAX_ATTEMPTS = 3
"""How often a running answer may come in between before the person is asked to try again."""


@dataclass(slots=True)
class PendingCommand:
    """A command that is being carried out: who waits for it, and whether it was stopped meanwhile."""

    sockets: list[Socket]
    stopped: StopRequest | None = None


class CommandExecutor:
    """The commands under way, so that a stop can find one that has no generation yet."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._under_way: dict[tuple[int, uuid.UUID], PendingCommand] = {}

    def stop(self, user: int, command: uuid.UUID) -> bool:
        """Stop a command before its generation runs; False if it is not under way here."""
        under_way = self._under_way.get((user, command))
        if under_way is None:
            return False
        under_way.stopped = StopRequest.from_page(user)
        return True

    def execute(self, socket: Socket, user: AbstractBaseUser, command: StartCommand) -> None:
        """Carry the command out, in a task of the supervisor. A repetition of one under way is the same one: a page
        that lost its socket right after asking comes with a new one."""
        key = (user.pk, command.id)
        self._supervisor.titles.cancel_of(user.pk)  # a server that does one thing at a time is to do this one
        if isinstance(command, Send) and command.conversation is None:
            self._supervisor.sockets.show(socket, None)  # whether the page said so before or not
        if key in self._under_way:
            self._under_way[key].sockets.append(socket)
            return
        self._under_way[key] = PendingCommand([socket])
        self._supervisor.spawn(self._carry_out(user, command), name=ASK)

    async def _carry_out(self, user: AbstractBaseUser, command: StartCommand) -> None:
        """Whatever goes wrong, the page hears of it."""
        key = (user.pk, command.id)
        under_way = self._under_way[key]
        try:
            await self._answer(user, command, under_way)
        except Refusal as refusal:
            self._refuse(under_way, command, refusal)
        except AWAY as error:
            logger.warning("a command was not carried out: %s", type(error).__name__)
            self._refuse(under_way, command, Refusal("busy", busy_sentence()))
        except Exception:
            logger.exception("a command failed")
            self._refuse(under_way, command, failed())
        finally:
            del self._under_way[key]

    async def _answer(self, user: AbstractBaseUser, command: StartCommand, under_way: PendingCommand) -> None:
        outcome = await self._write(user, command)
        if isinstance(outcome, Started):
            try:
                self._supervisor.launch(outcome, user.pk, command.id, stopped=under_way.stopped)
                self._attend(under_way.sockets, outcome)
                await self._show(under_way.sockets, user, command, outcome)
            except Exception:
                logger.exception("generation %s could not be begun", outcome.generation.pk)
                outcome = await self._given_up(under_way, outcome)
            else:
                return
        await self._stop_repeated(user, command, under_way)
        await self._show(under_way.sockets, user, command, outcome)
        await self._stop_repeated(user, command, under_way)

    async def _given_up(self, under_way: PendingCommand, started: Started) -> Repeated:
        """It stands in the database, so it ends there, and the pages are shown what came of it."""
        live = self._supervisor.live.get(started.generation.pk)
        if live is not None and live.task is not None:
            live.fail(Outcome(EndReason.PROVIDER_FAILED, code=INTERNAL))
            end = live.task
        else:
            end = self._supervisor.spawn(self._supervisor.end_unlaunched(started), name=ASK)
        await asyncio.wait({end}, timeout=OWN_END_TIMEOUT)
        for socket in self._supervisor.sockets.showing(started.conversation.pk):
            if socket not in under_way.sockets:
                socket.catch_up(None)
        return Repeated(started.conversation.pk, started.after)

    async def _stop_repeated(self, user: AbstractBaseUser, command: StartCommand, under_way: PendingCommand) -> None:
        """The command was carried out before, here or elsewhere: a stop that named it means what came of it."""
        by, under_way.stopped = under_way.stopped, None
        if by is None:
            return
        generation = await in_database(conversation_state.standing, user, None, command.id)
        if generation is not None and generation.status == Status.STREAMING:
            await request_end(self._supervisor, generation.pk, EndReason.STOPPED, by)

    def _refuse(self, under_way: "PendingCommand", command: StartCommand, refusal: Refusal) -> None:
        for socket in under_way.sockets:
            socket.push(events.refused(str(command.id), command.name, refusal))

    async def _write(self, user: AbstractBaseUser, command: StartCommand) -> Started | Repeated:
        if self._supervisor.stopping:
            raise Refusal("stopping", stopping_sentence())
        if not catalog.offered:
            await catalog.list_models()
        asker = Requester(user, self._supervisor.process, catalog.offered)
        for _attempt in range(MAX_ATTEMPTS):
            outcome = await _begin(asker, command)
            if not isinstance(outcome, StillRunning):
                return outcome
            by = StopRequest.from_page(user.pk)
            await end_and_wait(self._supervisor, outcome.generation, EndReason.SUPERSEDED, by)
        raise Refusal("busy", busy_sentence())

    def _attend(self, sockets: list[Socket], started: Started) -> None:
        """Whoever asked is there for it, and so is every page with that conversation; unless they have left since."""
        live = self._supervisor.live.get(started.generation.pk)
        if live is None:
            return
        for socket in sockets:
            self._supervisor.attend(live, socket)
        for socket in self._supervisor.sockets.showing(started.conversation.pk):
            self._supervisor.attend(live, socket)
        if not live.viewers.anybody:
            self._supervisor.left_at_once(live, sockets[-1])

    async def _show(
        self, sockets: list[Socket], user: AbstractBaseUser, command: StartCommand, outcome: Started | Repeated
    ) -> None:
        """To every page in its language. Others may ask for the same meanwhile, so it ends when nobody is left."""
        shown: set[Socket] = set()
        so_far = await self._so_far(outcome) if isinstance(outcome, Started) else ""
        while left := [viewer for viewer in self._viewers(sockets, outcome) if viewer not in shown]:
            language = left[0].language
            with translation.override(language):
                if isinstance(outcome, Started):
                    state = conversation_state.started(outcome, command.id, so_far)
                else:
                    shown_to = (user, outcome.conversation, outcome.after, command.id)
                    state = await fair_share.database.work(user.pk, conversation_state.show, *shown_to)
            for viewer in self._viewers(sockets, outcome):
                if viewer.language == language and viewer not in shown:
                    shown.add(viewer)
                    show_state(self._supervisor, viewer, state)

    async def _so_far(self, started: Started) -> str:
        """The HTML of the answer that this generation continues."""
        live = self._supervisor.live.get(started.generation.pk)
        if live is not None:
            return await live.broadcast.so_far()
        answer, _done = await asyncio.to_thread(worker.render, started.answer.content, last=False)
        return answer.whole()

    def _viewers(self, sockets: list[Socket], outcome: Started | Repeated) -> list[Socket]:
        """Who has to be shown what came of a command: who asked, and of something new every page that is there."""
        conversation = outcome.conversation.pk if isinstance(outcome, Started) else outcome.conversation
        for socket in sockets:
            if socket.conversation is None:
                self._supervisor.sockets.show(socket, conversation)
        return self._supervisor.sockets.showing(conversation) if isinstance(outcome, Started) else sockets


async def _begin(asker: Requester, command: StartCommand) -> Started | StillRunning | Repeated:
    """Texts that have to be counted first are counted outside of the transaction and of the database's threads. Raises
    Refusal."""
    for _attempt in range(MAX_COUNTS):
        try:
            return await fair_share.database.work(asker.user.pk, start.start_generation, asker, command)
        except context_window.Uncounted as missing:
            await asyncio.to_thread(context_window.measure, missing.texts)
    raise Refusal("busy", busy_sentence())
