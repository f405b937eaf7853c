"""Shows a conversation on a socket, and subscribes it to the answer that is being written. Runs on the event loop."""

import logging

from django.contrib.auth.base_user import AbstractBaseUser

from conversations.cluster.follower_sql import RemoteGeneration
from conversations.delivery.open_sockets import Socket
from conversations.generation.supervisor import Supervisor
from conversations.protocol import events
from conversations.protocol.commands import Watch
from conversations.protocol.refusal import Refusal, internal_error
from conversations.storage import fair_share
from conversations.storage.db_threads import UNAVAILABLE

from . import conversation_state

logger = logging.getLogger(__name__)


def show_state(supervisor: Supervisor, socket: Socket, state: conversation_state.State) -> None:
    """Bring a page up to date and subscribe it to the running generation, unless its socket has gone. Never waits."""
    if socket not in supervisor.sockets:
        return
    if state.transcript is not None:
        socket.push(state.transcript)
    live = supervisor.live.in_conversation(state.conversation)
    if live is not None:
        supervisor.viewers.add(live, socket)
        if not state.temporary_head:
            live.broadcast.subscribe(socket)
    elif state.generation is not None and state.message is not None:
        _subscribe_elsewhere(
            supervisor, socket, state, RemoteGeneration(state.generation, state.message, state.conversation)
        )


def _subscribe_elsewhere(
    supervisor: Supervisor, socket: Socket, state: conversation_state.State, remote: RemoteGeneration
) -> None:
    """Subscribe to a generation that does not run here. If this process owns it, it has ended since the state was read,
    or is about to be launched, which shows it to every page of the conversation."""
    if state.owner != supervisor.process:
        supervisor.viewers.add_remote(remote, socket)
    elif supervisor.live.has_ended(remote.generation):
        socket.catch_up(remote.message)


async def watch(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Watch) -> None:
    """Carry out a page's `watch`. Raises Refusal, and database errors. Shows nothing if the page has gone meanwhile, or
    asked for another conversation. May be cancelled."""
    try:
        await _watch(supervisor, socket, user, command)
    except (Refusal, *UNAVAILABLE):
        raise
    except Exception as error:
        logger.exception("a conversation cannot be shown")
        raise internal_error() from error


async def _watch(supervisor: Supervisor, socket: Socket, user: AbstractBaseUser, command: Watch) -> None:
    turn = socket.next_turn()
    supervisor.unsubscribe(socket)
    if command.conversation is None:
        supervisor.sockets.show(socket, None)
        socket.push(events.watching(None, None))
        return
    state = await fair_share.in_database(
        user.pk, conversation_state.for_page, user, command, lambda: socket.turn == turn
    )
    if socket.turn != turn or socket not in supervisor.sockets:
        return
    supervisor.sockets.show(socket, state.conversation)
    socket.push(events.watching(state.conversation, state.generation))
    show_state(supervisor, socket, state)
