"""Carries out the commands that start a generation.

Each command is a task of the supervisor's, so it outlives the socket that sent it. It ends in a running generation, or
in a `refused` event.
"""

import asyncio
import logging
import uuid
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser

from conversations.delivery.open_sockets import Socket
from conversations.generation.ending_builder import INTERNAL
from conversations.generation.stored_start import Started
from conversations.generation.supervisor import Supervisor
from conversations.protocol import events
from conversations.protocol.commands import Send, StartCommand
from conversations.protocol.refusal import Refusal, busy, internal_error, shutting_down
from conversations.providers import context_window
from conversations.providers.catalog.model_catalog import catalog
from conversations.rules.status import EndReason, Outcome, Status
from conversations.rules.stop_request import StopRequest
from conversations.storage import fair_share
from conversations.storage.db_threads import UNAVAILABLE, in_database

from . import start_transaction
from .end_generation import OWN_END_TIMEOUT, end_and_wait, request_end
from .planned_messages import Requester
from .show_result import attend_all, show_result
from .start_transaction import Repeated, StillRunning
from .stop_lookup import find_generation

logger = logging.getLogger(__name__)

MAX_COUNTS = 10
"""How often the tokens of a command's texts are counted before it starts. Usually once is enough; a conversation with
more texts than the counter remembers would never finish."""

MAX_ATTEMPTS = 3
"""Attempts to start an answer. One fails if another answer has just started in the conversation; after the last, the
person has to try again."""


@dataclass(slots=True)
class PendingCommand:
    """A command that is being carried out: the sockets that wait for it, and who stopped it meanwhile, if anybody."""

    sockets: list[Socket]
    stopped: StopRequest | None = None


class CommandExecutor:
    """Carries out commands and knows those in progress, so that a stop also works before there is a generation."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._pending: dict[tuple[int, uuid.UUID], PendingCommand] = {}

    def stop(self, user: int, command: uuid.UUID) -> bool:
        """Stop a command that has no running generation yet. Return False if it is not in progress here."""
        pending = self._pending.get((user, command))
        if pending is None:
            return False
        pending.stopped = StopRequest.from_page(user)
        return True

    def execute(self, socket: Socket, user: AbstractBaseUser, command: StartCommand) -> None:
        """Carry the command out in a task of its own; never waits.

        If the same command is already in progress, this socket joins it: a page that loses its socket right after
        sending repeats the command on the next one.
        """
        key = (user.pk, command.id)
        self._supervisor.titles.cancel_for_person(user.pk)  # a server with one slot should spend it on this answer
        if isinstance(command, Send) and command.conversation is None:
            self._supervisor.sockets.show(socket, None)  # the page may not have sent `watch` for its new chat
        if key in self._pending:
            self._pending[key].sockets.append(socket)
            return
        self._pending[key] = PendingCommand([socket])
        self._supervisor.spawn(self._execute(user, command), must_finish=True)

    async def _execute(self, user: AbstractBaseUser, command: StartCommand) -> None:
        """Carry out a command. Whatever fails, the page gets a `refused` event."""
        key = (user.pk, command.id)
        pending = self._pending[key]
        try:
            await self._answer(user, command, pending)
        except Refusal as refusal:
            _refuse(pending, command, refusal)
        except UNAVAILABLE as error:
            logger.warning("a command was not carried out: %s", type(error).__name__)
            _refuse(pending, command, busy())
        except Exception:
            logger.exception("a command failed")
            _refuse(pending, command, internal_error())
        finally:
            del self._pending[key]

    async def _answer(self, user: AbstractBaseUser, command: StartCommand, pending: PendingCommand) -> None:
        result = await self._start(user, command)
        if isinstance(result, Started):
            try:
                self._supervisor.launch(result, user.pk, command.id, stopped=pending.stopped)
                attend_all(self._supervisor, pending.sockets, result)
                await show_result(self._supervisor, pending.sockets, user, command, result)
            except Exception:
                logger.exception("generation %s could not be begun", result.generation.pk)
                result = await self._end_failed_launch(pending, result)
            else:
                return
        await self._stop_repeated(user, command, pending)
        await show_result(self._supervisor, pending.sockets, user, command, result)
        await self._stop_repeated(user, command, pending)

    async def _start(self, user: AbstractBaseUser, command: StartCommand) -> Started | Repeated:
        """Write the generation, after ending the one that runs in its conversation. Raises Refusal."""
        if self._supervisor.stopping:
            raise shutting_down()
        if not catalog.offered:
            await catalog.list_models()
        requester = Requester(user, self._supervisor.process, catalog.offered)
        for _attempt in range(MAX_ATTEMPTS):
            result = await _start_counted(requester, command)
            if not isinstance(result, StillRunning):
                return result
            by = StopRequest.from_page(user.pk)
            await end_and_wait(self._supervisor, result.generation, EndReason.SUPERSEDED, by)
        raise busy()

    async def _end_failed_launch(self, pending: PendingCommand, started: Started) -> Repeated:
        """The generation is in the database and cannot run, so end it there, and show the result to the pages."""
        live = self._supervisor.live.get(started.generation.pk)
        if live is not None and live.task is not None:
            live.fail(Outcome(EndReason.PROVIDER_FAILED, code=INTERNAL))
            end = live.task
        else:
            end = self._supervisor.spawn(self._supervisor.end_unlaunched(started), must_finish=True)
        await asyncio.wait({end}, timeout=OWN_END_TIMEOUT)
        for socket in self._supervisor.sockets.showing(started.conversation.pk):
            if socket not in pending.sockets:
                socket.catch_up(None)
        return Repeated(started.conversation.pk, started.after)

    async def _stop_repeated(self, user: AbstractBaseUser, command: StartCommand, pending: PendingCommand) -> None:
        """The command was carried out before, here or elsewhere: a stop of it means the generation it started."""
        by, pending.stopped = pending.stopped, None
        if by is None:
            return
        generation = await in_database(find_generation, user, None, command.id)
        if generation is not None and generation.status == Status.STREAMING:
            await request_end(self._supervisor, generation.pk, EndReason.STOPPED, by)


async def _start_counted(requester: Requester, command: StartCommand) -> Started | StillRunning | Repeated:
    """Start the generation. Texts whose tokens have to be counted first are counted outside of the transaction and of
    the database threads. Raises Refusal."""
    for _attempt in range(MAX_COUNTS):
        try:
            return await fair_share.in_database(
                requester.user.pk, start_transaction.start_generation, requester, command
            )
        except context_window.Uncounted as missing:
            await asyncio.to_thread(context_window.count_texts, missing.texts)
    raise busy()


def _refuse(pending: PendingCommand, command: StartCommand, refusal: Refusal) -> None:
    for socket in pending.sockets:
        socket.push(events.refused(str(command.id), command.name, refusal))
