"""The server: Daphne with a drain. Before it exits, it stops the answers, saves them and closes the pages.

Run it with `python -m chatapp.server`; SIGTERM or Ctrl-C ends it.
"""

import signal
import sys

if __name__ == "__main__":
    # Before the imports, which take most of the time until the event loop runs and installs its own handlers.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))

import asyncio

from twisted.internet import asyncioreactor

# Before Daphne, which keeps a reactor that is already installed, and otherwise installs one on a loop of its own.
loop = asyncio.new_event_loop()
asyncioreactor.install(loop)  # type: ignore[no-untyped-call]

import gc
import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from daphne import server as daphne
from daphne.endpoints import build_endpoint_description_strings
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred

from chatapp import installation_settings, library_internals, pooler_check, postgres, setting_reader, setting_validators
from chatapp.http_protocol import LimitedRequest, PageFactory
from chatapp.websocket_protocol import Socket, SocketFactory

SERVICE_RESTART = 1012
"""The close code that tells a page to reconnect at once."""

DRAIN_MARGIN = 0.3
"""Seconds added to `CHAT_DRAIN_TIMEOUT`, which the drain itself normally keeps."""

GOODBYE_TIMEOUT = 0.7
"""Seconds for the pages to disconnect after the drain."""

CLOSE_TIMEOUT = 0.3
"""Seconds for the remaining sockets to close after the server has started to close them."""

CANCEL_TIMEOUT = 0.5
"""Seconds for the remaining applications to end once they have been cancelled."""

GC_THRESHOLDS = (10_000, 20, 50)
"""For the garbage collector; reference counting already frees almost everything."""

WARM_UP_DELAY = 2.0
"""Seconds after the start during which the first pages have the processor to themselves."""

MAX_FILES = 65_536
"""Open files that are enough for all the pages that one process can serve."""

EXIT_TIMEOUT = 2.0
"""Seconds for the process to exit by itself once everything is closed."""

Drain = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)
reactor: Any = twisted_reactor


class CannotStart(Exception):
    """The server cannot start. The text is one sentence for the person who starts it."""


class Server(daphne.Server):
    """Daphne with a drain.

    Daphne's own shutdown cancels all applications at once, and raises if a socket is just opening.
    """

    def __init__(self, address: str, drain: Drain, drain_timeout: float, **options: Any) -> None:
        super().__init__(**options)
        self.address = address
        self.drain = drain
        self.drain_timeout = drain_timeout
        self.ports: list[Any] = []
        self.failure = ""

    def run(self) -> None:
        """Serve until told to stop, then drain."""
        reactor.addSystemEventTrigger("before", "shutdown", self._begin_shutdown)
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application of one request or socket; a socket's may send its frames directly."""
        if isinstance(protocol, Socket) and protocol.can_send_now:
            scope["send_now"] = protocol.send_now
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Pass on what an application sends, and let it continue once the client has room for more."""
        await super().handle_reply(protocol, message)
        if message.get("more_body") and isinstance(protocol, LimitedRequest):
            await protocol.wait_until_writable()

    def listen_success(self, port: Any) -> None:
        """The server listens; it answers as soon as the event loop runs."""
        super().listen_success(port)
        self.ports.append(port)
        reactor.callWhenRunning(print, f"Ready: {self.address}", flush=True)

    def listen_error(self, failure: Any) -> None:
        """The server cannot listen on the port."""
        self.failure = str(failure.getErrorMessage())
        self.stop()

    def kill_all_applications(self) -> None:
        """Do nothing: `_shut_down` ends them, after the drain."""

    def _begin_shutdown(self) -> "Deferred[None]":
        """Called once, before the event loop stops, which waits for the result."""
        return Deferred.fromFuture(asyncio.ensure_future(self._shut_down()))

    async def _shut_down(self) -> None:
        for port in self.ports:
            port.stopListening()
        try:
            await asyncio.wait_for(self.drain(), self.drain_timeout + DRAIN_MARGIN)
        except TimeoutError:
            logger.warning("Some answers could not be saved within %g s.", self.drain_timeout)
        except Exception:
            logger.exception("The drain failed.")
        await self._wait_until_idle(GOODBYE_TIMEOUT)
        self._close_sockets()
        await self._wait_until_idle(CLOSE_TIMEOUT)
        await self._cancel_applications()

    def _close_sockets(self) -> None:
        """Close the sockets that the drain did not reach."""
        for protocol in list(library_internals.connections(self) or ()):
            if isinstance(protocol, Socket) and protocol.state == Socket.STATE_OPEN:
                protocol.serverClose(SERVICE_RESTART)

    async def _wait_until_idle(self, limit: float) -> None:
        """Wait up to `limit` seconds for the pages to disconnect and for requests to be answered."""
        deadline = time.monotonic() + limit
        while self._busy() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    def _busy(self) -> bool:
        connections = library_internals.connections(self)
        return connections is None or any("disconnected" not in details for details in connections.values())

    async def _cancel_applications(self) -> None:
        connections = library_internals.connections(self) or {}
        running = [details.get("application_instance") for details in connections.values()]
        tasks = [task for task in running if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_TIMEOUT)


def main() -> None:
    """Prepare everything, serve until told to stop, and exit with the right code."""
    try:
        _serve()
    except setting_reader.InvalidSetting as error:
        _exit(error, installation_settings.EXIT_CODE)
    except (CannotStart, postgres.DatabaseUnavailable) as error:
        _exit(error, 1)


def _serve() -> None:
    env = installation_settings.read()
    _raise_file_limit()
    _check_port(env.HOST, env.PORT)
    postgres.ensure_database()
    postgres.wait_until_ready()
    pooler_check.refuse_transaction_pooler()
    _set_up_django()
    server = _server(env)
    _run(server)
    if server.failure:
        raise CannotStart(f"{server.address} cannot be used: {server.failure}.")


def _raise_file_limit() -> None:
    """Raise the limit of open files: each page is one, and the usual soft limit is meant for programs that use
    `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_port(host: str, port: int) -> None:
    """Raise `CannotStart` for a port in use before anything is changed, rather than after."""
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
    from chatapp.prepare_installation import prepare

    try:
        BaseCommand().check()
        prepare()
    except SystemCheckError as error:
        raise CannotStart(str(error)) from error
    except django.db.Error as error:
        raise CannotStart(f"The database could not be prepared: {postgres.reason(error)}.") from error


def _server(env: installation_settings.Environment) -> Server:
    from chatapp.asgi import application
    from conversations.generation.supervisor import supervisor

    library_internals.check()
    library_internals.use_factories(PageFactory, SocketFactory)
    return Server(
        address=f"http://{setting_validators.bracketed(env.HOST)}:{env.PORT}",
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
    """Start the supervisor, then serve until told to stop. No request is answered before the supervisor is ready."""
    from conversations.generation.supervisor import supervisor
    from conversations.operations import periodic_tasks
    from conversations.rendering import worker

    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(supervisor.start(periodic_tasks.create_all))
    except Exception as error:
        logger.debug("The supervisor did not start.", exc_info=True)
        raise CannotStart(f"The server could not start: {error or type(error).__name__}.") from error
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Twisted replaces only the default handler
    # Everything loaded so far lives as long as the process. Unless it is frozen, each full collection scans all of it
    # and delays every stream. With the usual thresholds, a process to which hundreds of pages connect would make a full
    # collection every second, each taking a tenth of a second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    _later(WARM_UP_DELAY, worker.warm_up)
    server.run()
    if server.failure:  # the event loop never ran, so nothing has been drained
        loop.run_until_complete(supervisor.drain())
    # A thread that waits for a dead database would otherwise keep the process alive.
    _later(EXIT_TIMEOUT, os._exit, int(bool(server.failure)))


def _later(seconds: float, function: Callable[..., None], *args: object) -> None:
    """Call `function` on a daemon thread after some seconds."""
    timer = threading.Timer(seconds, function, args)
    timer.daemon = True
    timer.start()


def _exit(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
