"""Shows the result of a command to the pages. Runs on the event loop, in the task of the command."""

import asyncio

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import translation

from conversations.delivery.open_sockets import Socket
from conversations.generation.stored_start import Started
from conversations.generation.supervisor import Supervisor
from conversations.protocol.commands import StartCommand
from conversations.rendering import worker
from conversations.storage import fair_share

from . import conversation_state
from .start_transaction import Repeated
from .subscribe import show_state


def attend_all(supervisor: Supervisor, sockets: list[Socket], started: Started) -> None:
    """Make viewers of the sockets that asked, and of every page that shows the conversation, unless they have gone.
    If nobody is left, the generation ends like one whose last page was closed."""
    live = supervisor.live.get(started.generation.pk)
    if live is None:
        return
    for socket in sockets:
        supervisor.viewers.add(live, socket)
    for socket in supervisor.sockets.showing(started.conversation.pk):
        supervisor.viewers.add(live, socket)
    if not live.viewers.anybody:
        supervisor.viewers.add_departed(live, sockets[-1])


async def show_result(
    supervisor: Supervisor,
    sockets: list[Socket],
    user: AbstractBaseUser,
    command: StartCommand,
    result: Started | Repeated,
) -> None:
    """Bring the pages up to date, each in its language. `sockets` may grow meanwhile; returns when every page is shown
    the result. Raises Refusal, and database errors if the command was `Repeated`. May be cancelled; pages then see the
    result only when they reconnect."""
    shown: set[Socket] = set()
    so_far = await _html_so_far(supervisor, result) if isinstance(result, Started) else ""
    while left := [page for page in _audience(supervisor, sockets, result) if page not in shown]:
        language = left[0].language
        with translation.override(language):
            if isinstance(result, Started):
                state = conversation_state.after_start(result, command.id, so_far)
            else:
                query = (user, result.conversation, result.after, command.id)
                state = await fair_share.in_database(user.pk, conversation_state.after_message, *query)
        for page in _audience(supervisor, sockets, result):
            if page.language == language and page not in shown:
                shown.add(page)
                show_state(supervisor, page, state)


async def _html_so_far(supervisor: Supervisor, started: Started) -> str:
    """The HTML of the answer that this generation continues."""
    live = supervisor.live.get(started.generation.pk)
    if live is not None:
        return await live.broadcast.html_so_far()
    answer, _done = await asyncio.to_thread(worker.render, started.answer.content, last=False)
    return answer.whole()


def _audience(supervisor: Supervisor, sockets: list[Socket], result: Started | Repeated) -> list[Socket]:
    """The pages that get the result: those that asked and, if it is new, every page that shows the conversation."""
    conversation = result.conversation.pk if isinstance(result, Started) else result.conversation
    for socket in sockets:
        if socket.conversation is None:
            supervisor.sockets.show(socket, conversation)
    return supervisor.sockets.showing(conversation) if isinstance(result, Started) else sockets
