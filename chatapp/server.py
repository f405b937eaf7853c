"""The server: Daphne, which at its end first stops the answers, saves them and says goodbye to the pages.

Run as `python -m chatapp.server`; SIGTERM or Ctrl-C ends it.
"""

import signal
import sys

if __name__ == "__main__":
    # Before all imports, which take most of the time until the loop runs and has handlers of its own.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))

# Next: it installs the event loop that everything else is to run on.
from daphne import server as daphne  # isort: skip

import asyncio
import gc
import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from daphne.endpoints import build_endpoint_description_strings
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred

from chatapp import environment, pooling, postgres
from chatapp.protocols import LimitedRequest, PageFactory, Socket, SocketFactory

RESTARTING = 1012  # the close code for it
DRAIN_MARGIN = 0.3  # seconds; the drain keeps to its limit itself, if it can
FAREWELL = 0.7  # seconds for the pages to go, after the drain
LAST_FRAMES = 0.3  # seconds for the rest to go, once dismissed
COLLECT = (10_000, 20, 50)  # thresholds of the garbage collector; references free almost everything before it
WARM_UP = 2.0  # seconds after the start; until then pages come first
FILES = 65_536  # open files that are enough for any number of pages that one process can serve
LAST_RESORT = 2.0  # seconds for the process to end by itself, after that

Drain = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)
reactor: Any = twisted_reactor


class CannotStart(Exception):
    """The server cannot start; the text is one sentence for the person who starts it."""


class Server(daphne.Server):
    """Daphne with a drain.

    Daphne itself ends its applications with the first one that ends, and fails at any socket that is just opening.
    """

    def __init__(self, address: str, drain: Drain, drain_timeout: float, **options: Any) -> None:
        super().__init__(**options)
        self.address = address
        self.drain = drain
        self.drain_timeout = drain_timeout
        self.ports: list[Any] = []
        self.failure = ""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Begin to answer; a WebSocket's application may send its frames the short way."""
        if isinstance(protocol, Socket) and protocol.direct:
            scope["send_now"] = protocol.send_now
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Pass on what an application sends; it goes on when there is room for more."""
        await super().handle_reply(protocol, message)
        if message.get("more_body") and isinstance(protocol, LimitedRequest):
            await protocol.until_there_is_room()

    def listen_success(self, port: Any) -> None:
        """The port is taken; requests are answered as soon as the loop runs."""
        super().listen_success(port)
        self.ports.append(port)
        reactor.callWhenRunning(print, f"Ready: {self.address}", flush=True)

    def listen_error(self, failure: Any) -> None:
        """The port could not be taken."""
        self.failure = str(failure.getErrorMessage())
        self.stop()

    def kill_all_applications(self) -> "Deferred[None]":
        """Called once, when the loop is about to end; the loop goes on until the result is there."""
        return Deferred.fromFuture(asyncio.ensure_future(self._leave()))

    async def _leave(self) -> None:
        for port in self.ports:
            port.stopListening()
        try:
            await asyncio.wait_for(self.drain(), self.drain_timeout + DRAIN_MARGIN)
        except TimeoutError:
            logger.warning("Some answers could not be saved within %g s.", self.drain_timeout)
        except Exception:
            logger.exception("The drain failed.")
        await self._until_quiet(FAREWELL)
        self._dismiss()
        await self._until_quiet(LAST_FRAMES)
        await self._cancel_the_rest()

    def _dismiss(self) -> None:
        """Close the sockets that the drain has not reached."""
        for protocol in list(self.connections):
            if isinstance(protocol, Socket) and protocol.state == Socket.STATE_OPEN:
                protocol.serverClose(RESTARTING)

    async def _until_quiet(self, limit: float) -> None:
        """Wait for the pages to go, which the drain has asked them to, and for requests to be answered."""
        deadline = time.monotonic() + limit
        while self._busy() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    def _busy(self) -> bool:
        return any("disconnected" not in details for details in self.connections.values())

    async def _cancel_the_rest(self) -> None:
        running = [details.get("application_instance") for details in self.connections.values()]
        tasks = [task for task in running if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)


def main() -> None:
    """Prepare everything, then serve until told to stop."""
    try:
        _serve()
    except environment.WrongValue as error:
        _give_up(error, environment.EXIT_CODE)
    except (CannotStart, postgres.NoAnswer) as error:
        _give_up(error, 1)


def _serve() -> None:
    env = environment.read()
    _open_more_files()
    _check_port(env.HOST, env.PORT)
    postgres.provide()
    postgres.wait_until_it_answers()
    pooling.refuse_lent_connections()
    _set_up_django()
    server = _server(env)
    _run(server)
    if server.failure:
        raise CannotStart(f"{server.address} cannot be used: {server.failure}.")


def _open_more_files() -> None:
    """Each page is an open file. The limit that a program begins with is meant for programs that use `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_port(host: str, port: int) -> None:
    """Fail before anything is changed, rather than after."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise CannotStart(
                f"HOST {host} and PORT {port} cannot be used ({error.strerror or error}); "
                "stop the program that uses them, or set PORT to another number."
            ) from error


def _set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    import django
    from django.core.management.base import BaseCommand, SystemCheckError

    django.setup()
    from chatapp.preparation import prepare

    try:
        BaseCommand().check()
        prepare()
    except SystemCheckError as error:
        raise CannotStart(str(error)) from error
    except django.db.Error as error:
        raise CannotStart(f"The database could not be prepared: {postgres.reason(error)}.") from error


def _server(env: environment.Environment) -> Server:
    from chatapp.asgi import application
    from conversations.generation.supervisor import supervisor

    daphne.HTTPFactory, daphne.WebSocketFactory = PageFactory, SocketFactory  # Daphne has no other place to say so
    return Server(
        address=f"http://{environment.bracketed(env.HOST)}:{env.PORT}",
        drain=supervisor.drain,
        drain_timeout=env.CHAT_DRAIN_TIMEOUT,
        application=application,
        endpoints=build_endpoint_description_strings(host=env.HOST, port=env.PORT),
        ping_interval=5,
        ping_timeout=5,
        websocket_timeout=-1,  # the default closes every socket once a day
        websocket_max_message_size=env.CHAT_MAX_FRAME,
        websocket_max_frame_size=env.CHAT_MAX_FRAME,
        server_name="",
    )


def _run(server: Server) -> None:
    """Start the supervisor, then serve until told to stop. Nothing is answered before the supervisor is ready."""
    from conversations.generation.supervisor import supervisor
    from conversations.operations import periodic_tasks
    from conversations.rendering import worker

    loop = daphne.twisted_loop
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(supervisor.start(periodic_tasks.create_all))
    except Exception as error:
        logger.debug("The supervisor did not start.", exc_info=True)
        raise CannotStart(f"The server could not start: {error or type(error).__name__}.") from error
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the loop only replaces the default
    # Everything that was loaded stays: without this, a full collection looks through all of it and stops every stream.
    # And a process with hundreds of pages makes so many objects that stay that by the usual thresholds a full one, a
    # tenth of a second then, would come every second while pages connect.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    _later(WARM_UP, worker.warm_up)
    server.run()
    if server.failure:  # the loop has not run, so nothing has drained
        loop.run_until_complete(supervisor.drain())
    # A thread that waits for a dead database would keep the process for ever.
    _later(LAST_RESORT, os._exit, int(bool(server.failure)))


def _later(seconds: float, function: Callable[..., None], *args: object) -> None:
    """Call it on a thread that keeps nobody from ending."""
    timer = threading.Timer(seconds, function, args)
    timer.daemon = True
    timer.start()


def _give_up(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
