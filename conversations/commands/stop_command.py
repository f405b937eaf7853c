"""Carries out a page's `stop`: cancels a generation of this process, or asks the process that owns it."""

import logging

from django.contrib.auth.base_user import AbstractBaseUser

from conversations.delivery.open_sockets import Socket
from conversations.generation.supervisor import Supervisor
from conversations.protocol import events
from conversations.protocol.commands import Stop
from conversations.protocol.refusal import Refusal, busy, internal_error, not_found
from conversations.rules.status import EndReason, Status
from conversations.rules.stop_request import StopRequest
from conversations.storage import fair_share
from conversations.storage.db_threads import UNAVAILABLE, in_database

from .end_generation import record_late_stop, request_end
from .start_commands import CommandExecutor
from .stop_lookup import find_generation

logger = logging.getLogger(__name__)


def stop(
    supervisor: Supervisor, executor: CommandExecutor, socket: Socket, user: AbstractBaseUser, command: Stop
) -> None:
    """Stop a generation for a person; never waits. If it runs here, its provider is cancelled before this returns."""
    live = None
    if command.generation is not None:
        live = supervisor.live.get(command.generation)
    elif command.id is not None:
        live = supervisor.live.for_command(user.pk, command.id)
    if live is not None and live.user == user.pk:
        live.stop(EndReason.STOPPED, StopRequest.from_page(user.pk))
    elif command.id is None or not executor.stop(user.pk, command.id):
        supervisor.spawn(_stop_not_here(supervisor, socket, user, command))


async def _stop_not_here(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    """The generation runs in another process, has ended, or is not visible to this person."""
    try:
        await _stop_stored(supervisor, socket, user, command)
    except Refusal as refusal:
        _refuse_stop(socket, command, refusal)
    except UNAVAILABLE as error:
        logger.warning("a stop was not carried out: %s", type(error).__name__)
        _refuse_stop(socket, command, busy())
    except Exception:
        logger.exception("a stop failed")
        _refuse_stop(socket, command, internal_error())


async def _stop_stored(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    query = (user, command.generation, command.id)
    generation = await fair_share.in_database(user.pk, find_generation, *query)
    if generation is not None and generation.end_reason == EndReason.CONNECTION_LOST:
        await in_database(record_late_stop, generation.pk, StopRequest.from_page(user.pk))
    if generation is None:
        _refuse_stop(socket, command, not_found())
    elif generation.status == Status.STREAMING:
        socket.push(events.stopping(generation.pk))
        await request_end(supervisor, generation.pk, EndReason.STOPPED, StopRequest.from_page(user.pk))
    else:
        status, reason = generation.status, generation.end_reason
        socket.push(events.standing(generation.pk, generation.message_id, status, reason, command.id))


def _refuse_stop(socket: Socket, command: Stop, refusal: Refusal) -> None:
    socket.push(events.refused(str(command.id) if command.id else None, "stop", refusal))
