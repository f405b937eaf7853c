"""A TCP proxy that fails as networks do: it can fall silent, reset, close one direction, delay or drip."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.support.polling import TIMEOUT

T = TypeVar("T")
CHUNK = 65536
# SO_LINGER with a timeout of zero: close() sends RST instead of FIN.
RESET = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class Link:
    """One connection through the proxy, and the number of bytes in each direction."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    upward: int = 0
    downward: int = 0
    ends: int = 0
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)


class Proxy:
    """Forwards every connection to `target` (host, port) until told to fail. Methods may be called from any thread."""

    def __init__(self, target: tuple[str, int] | None = None) -> None:
        self.target = target
        self.links: list[Link] = []
        self._loop = asyncio.new_event_loop()
        self._delay = 0.0
        self._drip: float | None = None
        self._held: bytes | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._do(self._listen())

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def silence(self) -> None:
        """Keep all sockets open and accept new ones, but forward nothing in either direction: no byte, no FIN."""
        self._do(self._set_silent(True))

    def resume(self) -> None:
        """Forward what was held back, and continue."""
        self._do(self._set_silent(False))

    def reset(self) -> None:
        """Break every connection with RST, on both sides."""
        self._do(self._reset())

    def half_close(self) -> None:
        """End the direction from client to server with FIN; the other one continues."""
        self._do(self._half_close())

    def delay(self, seconds: float) -> None:
        """Delay each chunk of data by this number of seconds."""
        self._delay = seconds

    def drip(self, bytes_per_second: float | None) -> None:
        """Limit the rate in each direction, in bytes per second; None removes the limit."""
        self._drip = bytes_per_second

    def hold(self, words: bytes) -> None:
        """Hold a connection back once its client sends these words; `let_go` forwards it."""
        self._held = words
        self._do(self._set_holding(True))

    def let_go(self) -> None:
        self._held = None
        self._do(self._set_holding(False))

    def stop(self) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    async def _listen(self) -> asyncio.Server:
        self._open = asyncio.Event()
        self._open.set()
        self._let_go = asyncio.Event()
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def _set_silent(self, silent: bool) -> None:
        if silent:
            self._open.clear()
        else:
            self._open.set()

    async def _set_holding(self, holding: bool) -> None:
        if holding:
            self._let_go.clear()
        else:
            self._let_go.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.target, "a proxy needs a target before its first connection"
        try:
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        link = Link(writer, far_writer)
        link.tasks = [
            asyncio.ensure_future(self._forward(link, reader, far_writer, "upward")),
            asyncio.ensure_future(self._forward(link, far_reader, writer, "downward")),
        ]
        self.links.append(link)

    async def _forward(self, link: Link, reader: asyncio.StreamReader, to: asyncio.StreamWriter, count: str) -> None:
        try:
            while data := await reader.read(CHUNK if self._drip is None else 1 + int(self._drip / 20)):
                await asyncio.sleep(self._delay + (len(data) / self._drip if self._drip else 0))
                if self._held is not None and self._held in data:
                    await self._let_go.wait()
                await self._open.wait()
                setattr(link, count, getattr(link, count) + len(data))
                to.write(data)
                await to.drain()
            await self._open.wait()
            to.write_eof()
            link.ends += 1
        except OSError:
            await self._open.wait()
            link.ends = 2
        if link.ends == 2:
            link.client.close()
            link.server.close()

    async def _reset(self) -> None:
        for link in self._take_links():
            for writer in (link.client, link.server):
                raw: socket.socket | None = writer.get_extra_info("socket")
                if raw is not None and raw.fileno() >= 0:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()

    async def _half_close(self) -> None:
        for link in self.links:
            link.tasks[0].cancel()
            if link.server.can_write_eof():
                link.server.write_eof()

    async def _close(self) -> None:
        self._server.close()
        for link in self._take_links():
            link.client.transport.abort()
            link.server.transport.abort()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _take_links(self) -> list[Link]:
        links, self.links = self.links, []
        for link in links:
            for task in link.tasks:
                task.cancel()
        return links
