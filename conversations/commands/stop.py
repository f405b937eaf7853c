"""A stop, from whomever it comes: cancel what runs here, or ask the process that owns it."""

import logging

from django.contrib.auth.base_user import AbstractBaseUser

from conversations.delivery.sockets import Socket
from conversations.generation.supervisor import Supervisor
from conversations.protocol import events
from conversations.protocol.commands import Stop
from conversations.protocol.refusal import Refusal
from conversations.rules.status import EndReason, Status
from conversations.rules.stop_request import StopRequest
from conversations.storage import fair_share
from conversations.storage.db_threads import AWAY, in_database

from . import conversation_state, refusals
from .end_generation import record_late_stop, request_end
from .execute import CommandExecutor
from .refusals import busy_sentence, failed

logger = logging.getLogger(__name__)


def stop(supervisor: Supervisor, asks: CommandExecutor, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    """A person's Stop. What runs here is cancelled before this returns."""
    live = None
    if command.generation is not None:
        live = supervisor.live.get(command.generation)
    elif command.id is not None:
        live = supervisor.by_command.get((user.pk, command.id))
    if live is not None and live.user == user.pk:
        live.stop(EndReason.STOPPED, StopRequest.from_page(user.pk))
    elif command.id is None or not asks.stop(user.pk, command.id):
        supervisor.spawn(_stop_elsewhere(supervisor, socket, user, command))


async def _stop_elsewhere(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    """It runs in another process, has ended, or is nobody's business."""
    try:
        await _stop_by_row(supervisor, socket, user, command)
    except Refusal as refusal:
        _refuse_stop(socket, command, refusal)
    except AWAY as error:
        logger.warning("a stop was not carried out: %s", type(error).__name__)
        _refuse_stop(socket, command, Refusal("busy", busy_sentence()))
    except Exception:
        logger.exception("a stop failed")
        _refuse_stop(socket, command, failed())


async def _stop_by_row(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    wanted = (user, command.generation, command.id)
    generation = await fair_share.database.work(user.pk, conversation_state.standing, *wanted)
    if generation is not None and generation.end_reason == EndReason.CONNECTION_LOST:
        await in_database(record_late_stop, generation.pk, StopRequest.from_page(user.pk))
    if generation is None:
        _refuse_stop(socket, command, refusals.not_found())
    elif generation.status == Status.STREAMING:
        socket.push(events.stopping(generation.pk))
        await request_end(supervisor, generation.pk, EndReason.STOPPED, StopRequest.from_page(user.pk))
    else:
        status, reason = generation.status, generation.end_reason
        socket.push(events.standing(generation.pk, generation.message_id, status, reason, command.id))


def _refuse_stop(socket: Socket, command: Stop, refusal: Refusal) -> None:
    socket.push(events.refused(str(command.id) if command.id else None, "stop", refusal))
