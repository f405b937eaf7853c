"""The socket: frames in, frames out. No rule about what a generation is."""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import translation
from django.utils.translation import ngettext

from conversations.commands import refusals, stop, subscribe
from conversations.commands.execute import CommandExecutor
from conversations.generation import answer_rate
from conversations.generation.supervisor import supervisor
from conversations.people import language, sessions
from conversations.protocol import commands, events
from conversations.protocol.commands import Ack, Command, StartCommand, Stop, Watch, parse
from conversations.protocol.refusal import Refusal
from conversations.rules.send_window import SendWindow
from conversations.rules.status import EndReason
from conversations.rules.token_bucket import TokenBucket
from conversations.storage.db_threads import AWAY, in_database

from .watch_queue import WatchQueue

logger = logging.getLogger(__name__)

MAX_FRAME_RATE = 50
MAX_FRAME_BURST = 100
"""Frames a second, and at once, that a page may send."""

RECONNECT_CODES = (1012, 1013, 4429)
"""Codes after which the page connects again."""

COOKIE_DELAY = 1.0
"""Seconds that a browser gets to take the cookie of a session that replaces its old one, before it has to connect with
it."""

executor = CommandExecutor(supervisor)


class ChatConsumer(AsyncWebsocketConsumer):
    """One page. Every handler returns at once: the next frame is read only then, and it may be a Stop.

    Channels' own loop is left out: it makes two tasks a frame, visits the database thread before each, and gives every
    socket a channel of the layer, none of which is needed here.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        now = time.monotonic()
        self.user: AbstractBaseUser | None = None
        self.user_id = 0
        self.session = ""
        self.language = settings.LANGUAGE_CODE
        self.signed_in_by = ("", 0, "")
        self.conversation: uuid.UUID | None = None
        self.attends: set[uuid.UUID] = set()
        self.send_window = SendWindow(settings.CHAT_MAX_UNREAD, now)
        self.lost = False
        self.pinged_at = now
        self.turn = 0
        self._turns = WatchQueue(self, self._watch)
        self._allowance = TokenBucket(MAX_FRAME_RATE, MAX_FRAME_BURST, now)
        self._outgoing: deque[bytes | int] = deque()
        self._something = asyncio.Event()
        self._send_now: Callable[[bytes], None] | None = None
        self._closing = False
        self._cause = EndReason.LEFT
        self._behind: uuid.UUID | None = None

    # --- its life ----------------------------------------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run until the socket is gone, however it goes: `disconnect` is not called after an exception or a kill. The
        clean-up is bookkeeping only, because Daphne may cancel it; nothing in it waits."""
        self.scope = scope
        self.base_send = send
        self._send_now = scope.get("send_now")
        writer = asyncio.get_running_loop().create_task(self._write(send))
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            writer.cancel()
            supervisor.leave(self, self._cause)

    async def dispatch(self, message: dict[str, Any]) -> None:
        handler = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self.websocket_disconnect,
        }.get(message["type"])
        if handler is not None:
            await handler(message)

    async def connect(self) -> None:
        """Accept first: a refused handshake looks like a lost network to the page."""
        await self.accept()
        self.language = language.socket_language(self.scope["query_string"])
        translation.activate(self.language)  # for this task, and those that begin in its handlers
        if not self.scope.get("origin_allowed"):
            self.close_with(4403)
            return
        if supervisor.stopping:
            self.close_with(1012)
            return
        self._key = sessions.session_key(self.scope["cookies"])
        self.session = sessions.digest(self._key)
        supervisor.spawn(self._enter())

    async def _enter(self) -> None:
        try:
            user = await in_database(sessions.load_user, self._key)
        except AWAY as error:
            logger.warning("a socket could not be signed in: %s", type(error).__name__)
            self.close_with(1013)
            return
        if user is None:
            self.close_with(4401)
            return
        if self._closing:
            return
        if len(supervisor.sockets.of_user(user.pk)) >= settings.CHAT_MAX_SOCKETS:
            self._turn_away()
            return
        self.user = user
        self.user_id = user.pk
        self.signed_in_by = (self._key, user.pk, user.password)
        supervisor.sockets.add(self)
        self.push(events.HELLO)

    def _turn_away(self) -> None:
        """The newest page waits. To close the oldest instead would end what it shows, and it would come back."""
        with translation.override(self.language):
            self.push(events.refused(None, None, Refusal("too_many_pages", _too_many_pages())))
        self.close_with(4429)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        silent = time.monotonic() - self.send_window.heard_at
        if self.lost or (self.attends and silent >= settings.CHAT_ACK_TIMEOUT):
            self._cause = EndReason.CONNECTION_LOST
        self._closing = True
        raise StopConsumer

    # --- frames in ---------------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        now = time.monotonic()
        self.send_window.touch(now)
        if self._closing or not self._allowed(now):
            return
        frame = text_data if text_data is not None else bytes_data
        try:
            self._route(parse(frame))
        except Refusal as refusal:
            self.push(events.refused(*commands.id_and_op(frame), refusal))

    def _route(self, command: Command) -> None:
        if isinstance(command, Ack):
            self._acknowledged(command)
        elif self.user is None:
            raise Refusal("busy", refusals.busy_sentence())
        elif isinstance(command, Stop):
            stop.stop(supervisor, executor, self, self.user, command)
        elif isinstance(command, Watch):
            self._turns.ask(command)
        elif isinstance(command, StartCommand):
            answer_rate.answers.take(self.user_id, command.id)
            executor.execute(self, self.user, command)

    async def _watch(self, command: Watch) -> None:
        if self.user is None or self._closing:
            return
        try:
            with translation.override(self.language):  # what it has missed may be shown at anybody's instance
                await subscribe.watch(supervisor, self, self.user, command)
        except Refusal as refusal:
            self.push(events.refused(None, "watch", refusal))
        except AWAY as error:
            logger.warning("a watch failed: %s", type(error).__name__)
            self.close_with(1013)

    def _acknowledged(self, command: Ack) -> None:
        if not self.send_window.acknowledge(command.received, time.monotonic()):
            return
        behind, self._behind = self._behind, None
        if behind is not None and self.conversation is not None:
            self.catch_up(behind)
        else:
            self._turns.go_on()

    def _allowed(self, now: float) -> bool:
        """A token bucket: a page that floods is closed, and nobody else notices."""
        if not self._allowance.take(now):
            self.close_with(4429)
            return False
        return True

    # --- frames out --------------------------------------------------------------------------------------------------

    def push(self, frame: bytes) -> None:
        if self._closing:
            return
        if self.send_window.overflows(len(frame)):
            self.close_with(1013)
            return
        self.send_window.record(len(frame))
        if self._send_now is not None:
            self._send_now(frame)
        else:
            self._outgoing.append(frame)
            self._something.set()

    def offer(self, frame: bytes, message: uuid.UUID) -> bool:
        if self._closing:
            return False
        if not self.send_window.has_room(len(frame)):
            self.send_window.mark_full(time.monotonic())
            self._behind = message
            return False
        self.push(frame)
        return True

    def catch_up(self, message: uuid.UUID | None) -> None:
        """Show the conversation on screen anew; `message`: the streaming one that the page has last."""
        self._turns.catch_up(message)

    def has_room(self) -> bool:
        """Whether the page may be shown a conversation. If not it is asked for a word, and closed after a while of none
        like one that does not read an answer."""
        if self.send_window.has_room_for_large():
            return True
        self.send_window.mark_full(time.monotonic())
        self.push(events.PING)
        return False

    def next_turn(self) -> int:
        self.turn += 1
        return self.turn

    def close(self, code: int) -> None:
        self.close_with(code)

    def close_with(self, code: int) -> None:
        """Send what is waiting, then close."""
        if not self._closing:
            self._closing = True
            if code in RECONNECT_CODES:
                self._cause = EndReason.CONNECTION_LOST
            self._outgoing.append(code)
            self._something.set()

    async def _write(self, send: Any) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._outgoing:
                out = self._outgoing.popleft()
                if isinstance(out, int):
                    await send({"type": "websocket.close", "code": out})
                    return
                await send({"type": "websocket.send", "text": out.decode()})

    # --- the session behind it ---------------------------------------------------------------------------------------

    def recheck(self) -> None:
        """Look whether the session still stands: a ring, or the round over all sockets, says that it may not."""
        supervisor.spawn(self._check_session())

    async def _check_session(self) -> None:
        try:
            user = await in_database(sessions.load_user, self._key)
            successor = None if user is not None else await in_database(sessions.find_successor, self._key)
        except AWAY as error:  # a database that is away signs nobody out; the next round looks again
            logger.info("session not checked: %s", type(error).__name__)
            return
        if successor is not None:
            supervisor.move_session(self.session, successor)
            asyncio.get_running_loop().call_later(COOKIE_DELAY, self._connect_anew)
        elif user is None:
            self.close_with(4401)
            supervisor.leave(self, EndReason.SIGNED_OUT)
        elif not self._closing:
            self.signed_in_by = (self._key, user.pk, user.password)

    def _connect_anew(self) -> None:
        """With the cookie of the new session, which only the browser has in which the password was changed."""
        self.close_with(1012)
        supervisor.leave(self, EndReason.CONNECTION_LOST)


def _too_many_pages() -> str:
    return ngettext(
        "Only %(count)d page can be connected at a time. Close the other one; this one then connects by itself.",
        "Only %(count)d pages can be connected at a time. Close one of the others; this one then connects by itself.",
        settings.CHAT_MAX_SOCKETS,
    ) % {"count": settings.CHAT_MAX_SOCKETS}
