"""One page's socket: frames in, frames out. The rules of generations are elsewhere."""

import asyncio
import logging
import time
import uuid
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import translation
from django.utils.translation import ngettext

from conversations.commands import stop_command, subscribe
from conversations.commands.start_commands import CommandExecutor
from conversations.generation import answer_rate_limit
from conversations.generation.supervisor import supervisor
from conversations.people import language, socket_sessions
from conversations.people.socket_sessions import SignedIn
from conversations.protocol import commands, events
from conversations.protocol.commands import Ack, Command, StartCommand, Stop, Watch, parse
from conversations.protocol.refusal import Refusal, busy
from conversations.rules.send_window import SendWindow
from conversations.rules.status import EndReason
from conversations.rules.token_bucket import TokenBucket
from conversations.storage.db_threads import UNAVAILABLE, in_database

from .frame_writer import FrameWriter
from .watch_queue import WatchQueue

logger = logging.getLogger(__name__)

MAX_FRAME_RATE = 50
MAX_FRAME_BURST = 100
"""Frames that a page may send per second, and in one burst."""

RECONNECT_CODES = (1012, 1013, 4429)
"""Close codes after which the page reconnects."""

COOKIE_DELAY = 1.0
"""Seconds that a browser gets to store the cookie of its new session, before its socket has to reconnect with it."""

executor = CommandExecutor(supervisor)


class ChatConsumer(AsyncWebsocketConsumer):
    """One page. Every handler returns at once, because only then is the next frame read, and it may be a Stop.

    This replaces Channels' own loop, which creates two tasks per frame, visits the database thread before each, and
    opens a channel per socket; none of that is needed here.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        now = time.monotonic()
        self.user: AbstractBaseUser | None = None
        self.user_id = 0
        self.session = ""
        self.language = settings.LANGUAGE_CODE
        self.signed_in = SignedIn("", 0, "")
        self.conversation: uuid.UUID | None = None
        self.viewing: set[uuid.UUID] = set()
        self.send_window = SendWindow(settings.CHAT_MAX_UNREAD, now)
        self.lost = False
        self.pinged_at = now
        self.turn = 0
        self._watches = WatchQueue(self, self._watch)
        self._allowance = TokenBucket(MAX_FRAME_RATE, MAX_FRAME_BURST, now)
        self._writer = FrameWriter(self.send_window)
        self._cause = EndReason.LEFT
        self._missed: uuid.UUID | None = None

    # --- connecting and going ------------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run until the socket is gone. `disconnect` is not called after an exception or a kill, so cleanup is here.
        It never waits, because Daphne may cancel it."""
        self.scope = scope
        self.base_send = send
        writing = self._writer.start(send, scope.get("send_now"))
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            writing.cancel()
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
        """Accept first: to the page, a rejected handshake looks like a lost network."""
        await self.accept()
        self.language = language.socket_language(self.scope["query_string"])
        translation.activate(self.language)  # for this task, and those started in its handlers
        if not self.scope.get("origin_allowed"):
            self.close(4403)
            return
        if supervisor.stopping:
            self.close(1012)
            return
        self._key = socket_sessions.session_key(self.scope["cookies"])
        self.session = socket_sessions.digest(self._key)
        supervisor.spawn(self._sign_in())

    async def _sign_in(self) -> None:
        try:
            user = await in_database(socket_sessions.load_user, self._key)
        except UNAVAILABLE as error:
            logger.warning("a socket could not be signed in: %s", type(error).__name__)
            self.close(1013)
            return
        if user is None:
            self.close(4401)
            return
        if self._writer.closed:
            return
        if len(supervisor.sockets.of_user(user.pk)) >= settings.CHAT_MAX_SOCKETS:
            self._refuse_page()
            return
        self.user = user
        self.user_id = user.pk
        self.signed_in = SignedIn(self._key, user.pk, user.password)
        supervisor.sockets.add(self)
        self.push(events.HELLO)

    def _refuse_page(self) -> None:
        """Close the newest page. Closing the oldest would end the answer it shows, and it would reconnect."""
        with translation.override(self.language):
            self.push(events.refused(None, None, Refusal("too_many_pages", _too_many_pages())))
        self.close(4429)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        silent = time.monotonic() - self.send_window.heard_at
        if self.lost or (self.viewing and silent >= settings.CHAT_ACK_TIMEOUT):
            self._cause = EndReason.CONNECTION_LOST
        self._writer.closed = True
        raise StopConsumer

    # --- frames in ---------------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        now = time.monotonic()
        self.send_window.touch(now)
        if self._writer.closed or not self._allowed(now):
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
            raise busy()
        elif isinstance(command, Stop):
            stop_command.stop(supervisor, executor, self, self.user, command)
        elif isinstance(command, Watch):
            self._watches.put(command)
        elif isinstance(command, StartCommand):
            answer_rate_limit.limiter.take(self.user_id, command.id)
            executor.execute(self, self.user, command)

    async def _watch(self, command: Watch) -> None:
        if self.user is None or self._writer.closed:
            return
        try:
            with translation.override(self.language):  # another task may have started the queue
                await subscribe.watch(supervisor, self, self.user, command)
        except Refusal as refusal:
            self.push(events.refused(None, "watch", refusal))
        except UNAVAILABLE as error:
            logger.warning("a watch failed: %s", type(error).__name__)
            self.close(1013)

    def _acknowledged(self, command: Ack) -> None:
        if not self.send_window.acknowledge(command.received, time.monotonic()):
            return
        missed, self._missed = self._missed, None
        if missed is not None and self.conversation is not None:
            self.catch_up(missed)
        else:
            self._watches.resume()

    def _allowed(self, now: float) -> bool:
        """Close a page that sends too many frames."""
        if not self._allowance.take(now):
            self.close(4429)
            return False
        return True

    # --- frames out --------------------------------------------------------------------------------------------------

    def push(self, frame: bytes) -> None:
        """Send a frame that must not be dropped. Closes the socket if too much is unread."""
        if not self._writer.push(frame):
            self.close(1013)

    def offer(self, frame: bytes, message: uuid.UUID) -> bool:
        """Send a frame of this message's stream. Return False if there is no room; the page then catches up later."""
        if self._writer.closed:
            return False
        if not self.send_window.has_room(len(frame)):
            self.send_window.mark_full(time.monotonic())
            self._missed = message
            return False
        self.push(frame)
        return True

    def catch_up(self, message: uuid.UUID | None) -> None:
        """Show the conversation on screen anew. `message`: the streaming message that the page has, if any."""
        self._watches.catch_up(message)

    def has_room(self) -> bool:
        """Return whether there is room to show the page a conversation. If not, ask the page to acknowledge; one that
        does not is closed after a while."""
        if self.send_window.has_room_for_large():
            return True
        self.send_window.mark_full(time.monotonic())
        self.push(events.PING)
        return False

    def next_turn(self) -> int:
        """Invalidate the `watch` that is being carried out, and return the number of the next one."""
        self.turn += 1
        return self.turn

    def close(self, code: int) -> None:
        """Send what is queued, then close with this code. Does nothing if the socket is closed."""
        if not self._writer.closed and code in RECONNECT_CODES:
            self._cause = EndReason.CONNECTION_LOST
        self._writer.close(code)

    # --- the session ---------------------------------------------------------------------------------------

    def recheck(self) -> None:
        """Check the session, in a task: a notification or the periodic check says that it may have ended."""
        supervisor.spawn(self._check_session())

    async def _check_session(self) -> None:
        try:
            user = await in_database(socket_sessions.load_user, self._key)
            successor = None if user is not None else await in_database(socket_sessions.find_successor, self._key)
        except UNAVAILABLE as error:  # an unavailable database signs nobody out; the next check tries again
            logger.info("session not checked: %s", type(error).__name__)
            return
        if successor is not None:
            supervisor.sessions.replace(self.session, successor)
            asyncio.get_running_loop().call_later(COOKIE_DELAY, self._reconnect)
        elif user is None:
            self.close(4401)
            supervisor.leave(self, EndReason.SIGNED_OUT)
        elif not self._writer.closed:
            self.signed_in = SignedIn(self._key, user.pk, user.password)

    def _reconnect(self) -> None:
        """Make the page reconnect with its new session. Only the browser that changed the password has its cookie."""
        self.close(1012)
        supervisor.leave(self, EndReason.CONNECTION_LOST)


def _too_many_pages() -> str:
    return ngettext(
        "Only %(count)d page can be connected at a time. Close the other one; this one then connects by itself.",
        "Only %(count)d pages can be connected at a time. Close one of the others; this one then connects by itself.",
        settings.CHAT_MAX_SOCKETS,
    ) % {"count": settings.CHAT_MAX_SOCKETS}
