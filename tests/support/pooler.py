"""A pooler in front of PostgreSQL that lends a connection for one transaction, as PgBouncer can."""

import asyncio
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.polling import TIMEOUT

SSL_REQUEST, PROTOCOL = 80877103, 196608
READY = b"Z"
IDLE = b"I"


class Backend:
    """One connection to PostgreSQL; `greeting` has its first messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.greeting = b""


class Pooler:
    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._free: list[Backend] = []
        self._opened: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(TIMEOUT)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/chat?sslmode=disable"

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in self._opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._opened), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._opened.append(writer)
        try:
            startup = await self._startup(reader)
            backend = await self._backend(startup)
            writer.write(backend.greeting)
            self._free.append(backend)
            while True:
                await self._transaction(reader, writer, startup)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    async def _startup(self, reader: asyncio.StreamReader) -> bytes:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        return await reader.readexactly(length - 4)

    async def _backend(self, startup: bytes) -> Backend:
        if self._free:
            return self._free.pop()
        made = Backend(*await asyncio.open_unix_connection(self._socket))
        self._opened.append(made.writer)
        made.writer.write(struct.pack("!i", len(startup) + 4) + startup)
        kind = b""
        while kind != READY:
            kind, message = await self._message(made.reader)
            made.greeting += message
        return made

    async def _transaction(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, startup: bytes) -> None:
        """From the client's first message to the moment when no transaction is open."""
        _kind, message = await self._message(reader)
        backend = await self._backend(startup)
        backend.writer.write(message)
        asking = asyncio.ensure_future(self._message(reader))
        answering = asyncio.ensure_future(self._message(backend.reader))
        try:
            while True:
                await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    kind, message = answering.result()
                    writer.write(message)
                    if kind == READY and message[5:6] == IDLE and not asking.done():
                        break
                    answering = asyncio.ensure_future(self._message(backend.reader))
                if asking.done():
                    backend.writer.write(asking.result()[1])
                    asking = asyncio.ensure_future(self._message(reader))
        finally:
            for task in (asking, answering):
                task.cancel()
            await asyncio.gather(asking, answering, return_exceptions=True)
        self._free.append(backend)

    async def _message(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        head = await reader.readexactly(5)
        (length,) = struct.unpack("!i", head[1:])
        return head[:1], head + await reader.readexactly(length - 4)


@contextmanager
def pooler(socket: str) -> Iterator[Pooler]:
    made = Pooler(socket)
    try:
        yield made
    finally:
        made.stop()
