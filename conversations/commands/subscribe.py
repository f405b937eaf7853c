"""Show a conversation on a socket, and let it follow the answer that is being written."""

import logging

from django.contrib.auth.base_user import AbstractBaseUser

from conversations.cluster.follower import Begun
from conversations.delivery.sockets import Socket
from conversations.generation.supervisor import Supervisor
from conversations.protocol import events
from conversations.protocol.commands import Watch
from conversations.protocol.refusal import Refusal
from conversations.storage import fair_share
from conversations.storage.db_threads import AWAY

from . import conversation_state
from .refusals import failed

logger = logging.getLogger(__name__)


def show_state(supervisor: Supervisor, socket: Socket, state: conversation_state.State) -> None:
    """Bring a page up to date, and let it follow what runs. One that has gone is nobody's viewer."""
    if socket not in supervisor.sockets:
        return
    if state.transcript is not None:
        socket.push(state.transcript)
    live = supervisor.by_conversation.get(state.conversation)
    if live is not None:
        supervisor.attend(live, socket)
        if not state.aside:
            live.broadcast.attach(socket)
    elif state.generation is not None and state.message is not None:
        _follow(supervisor, socket, state, Begun(state.generation, state.message, state.conversation))


def _follow(supervisor: Supervisor, socket: Socket, state: conversation_state.State, begun: Begun) -> None:
    """Show what does not run here. A run of this process is over since it was read, or its launch, which shows it to
    every page that is there, is yet to come."""
    if state.owner != supervisor.process:
        supervisor.attend_elsewhere(begun, socket)
    elif supervisor.has_ended(begun.generation):
        socket.catch_up(begun.message)


async def watch(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Watch) -> None:
    """Show a conversation on a socket. Raises Refusal."""
    try:
        await _watch(supervisor, socket, user, command)
    except (Refusal, *AWAY):
        raise
    except Exception as error:
        logger.exception("a conversation cannot be shown")
        raise failed() from error


async def _watch(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Watch) -> None:
    turn = socket.next_turn()
    for live in supervisor.live.values():
        live.broadcast.detach(socket)
    supervisor.followers.detach(socket)
    if command.conversation is None:
        supervisor.sockets.show(socket, None)
        socket.push(events.watching(None, None))
        return
    state = await fair_share.database.work(user.pk, conversation_state.load, user, command, lambda: socket.turn == turn)
    if socket.turn != turn or socket not in supervisor.sockets:  # it has gone on to another conversation, or away
        return
    supervisor.sockets.show(socket, state.conversation)
    socket.push(events.watching(state.conversation, state.generation))
    show_state(supervisor, socket, state)
