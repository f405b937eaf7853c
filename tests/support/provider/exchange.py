"""One request to the fake provider, and the answer that the test writes to it."""

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tests.support.polling import TIMEOUT, eventually
from tests.support.provider.http import Json, Request, event, head

if TYPE_CHECKING:
    from tests.support.provider.server import Provider

T = TypeVar("T")

STREAM_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Transfer-Encoding": "chunked"}
DEFAULT_USAGE = (12, 34)


class ClosedByProduct(ConnectionError):
    """The product closed its socket, so nothing more can be written."""


class Exchange:
    """One request for an answer, and the answer to it. Sends nothing, not even headers, until the test says so.

    Every method may be called from any thread but the provider's own. Methods that write wait for the request first and
    return once the operating system has the bytes.
    """

    def __init__(self, provider: "Provider", prompt: str = "") -> None:
        self.prompt = prompt
        self.written: list[tuple[str, float]] = []
        self.closed_at: float | None = None
        self.opened_at: float | None = None
        self.failure: BaseException | None = None
        self._provider = provider
        self._request: Request | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._headers_sent = False
        self._chunked = True
        self._opened = threading.Event()
        self._closed = threading.Event()
        self._ended = asyncio.Event()
        self._streaming: Future[None] | None = None

    # The request and its state.

    @property
    def request(self) -> Request:
        self.wait_opened()
        assert self._request
        return self._request

    @property
    def text(self) -> str:
        """All tokens written so far, joined."""
        return "".join(token for token, _ in list(self.written))

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @property
    def answered(self) -> bool:
        """Whether the answer was written completely."""
        return self._ended.is_set()

    def tokens_after(self, moment: float) -> int:
        """The number of tokens written after `moment` (of `time.monotonic()`)."""
        return sum(1 for _, at in list(self.written) if at > moment)

    def wait_opened(self, timeout: float = TIMEOUT) -> "Exchange":
        assert self._opened.wait(timeout), f"the provider was not asked {self.prompt!r} within {timeout:g} s"
        return self

    def wait_closed(self, timeout: float = TIMEOUT) -> float:
        """Wait until the product closes its socket; returns the time (`time.monotonic()`)."""
        assert self._closed.wait(timeout), f"the socket of {self.prompt!r} was still open after {timeout:g} s"
        assert self.closed_at is not None
        return self.closed_at

    def wait_written(self, count: int, timeout: float = TIMEOUT) -> None:
        """Wait until `stream` has written `count` tokens."""
        eventually(lambda: len(self.written) >= count, f"{count} tokens written", timeout)

    # Writing the answer.

    def send_headers(self, status: int = 200, headers: Mapping[str, str] | None = None) -> "Exchange":
        """Begin a body that is written in chunks, of an answer or an error."""
        self._do(self._send_headers(status, headers or {}))
        return self

    def write_tokens(self, *tokens: str) -> "Exchange":
        """Write each token as one chunk of the stream. Raises `ClosedByProduct` if the product has closed its
        socket."""
        self._do(self._write_tokens(tokens))
        return self

    def write_raw(self, data: bytes) -> "Exchange":
        """Write these bytes of the stream unchanged, as one HTTP chunk."""
        self._do(self._write(data))
        return self

    def write_event(self, payload: Json) -> "Exchange":
        """Write one event of the stream with this payload."""
        return self.write_raw(event(payload))

    def stream(self, tokens: Iterable[str], rate: float) -> "Exchange":
        """Write the tokens in the background, `rate` per second, until they end or the product closes its socket."""
        self._streaming = self._start(self._stream(tokens, rate))
        return self

    def finish(
        self, reason: str = "stop", usage: tuple[int, int] = DEFAULT_USAGE, *, done: bool = True, end: bool = True
    ) -> "Exchange":
        """Finish properly: finish reason, usage if requested, `[DONE]` unless `done` is false, the end unless `end` is
        false."""
        if self._streaming:
            self._streaming.cancel()
        self._do(self._finish(reason, usage, done, end))
        return self

    def end(self) -> "Exchange":
        """End the HTTP body properly, whatever was written: a stream without a finish reason ends cleanly."""
        self._do(self._end())
        return self

    def cut(self) -> "Exchange":
        """Close the connection before the body is complete."""
        self._do(self._cut())
        return self

    def respond(self, status: int, headers: Mapping[str, str] | None = None, body: Json | bytes = b"") -> "Exchange":
        """Respond with this instead of a stream."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
        self._do(self._respond(status, {**kind, **(headers or {})}, data))
        return self

    # Runs on the provider's loop.

    def _start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._provider.loop)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            self.wait_opened()
        except AssertionError:
            work.close()
            raise
        return self._start(work).result(TIMEOUT)

    async def serve(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Hold the connection until the answer has ended; returns whether it can take another request."""
        self._request, self._writer, self.opened_at = request, writer, time.monotonic()
        self._opened.set()
        ended = asyncio.ensure_future(self._ended.wait())
        hearing = asyncio.ensure_future(reader.read(1))
        await asyncio.wait((ended, hearing), return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, hearing):
            task.cancel()
        await asyncio.gather(ended, hearing, return_exceptions=True)
        if not self._ended.is_set():
            # Nothing may arrive while an answer is written, so only a close by the product can end the wait.
            self.note_closed()
        return self._ended.is_set() and not writer.is_closing()

    def note_closed(self) -> None:
        if self.closed_at is None:
            self.closed_at = time.monotonic()
            self._closed.set()

    async def _write(self, data: bytes) -> None:
        await self._send_headers()
        await self._put(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    async def _put(self, data: bytes) -> None:
        assert self._writer
        if self.closed or self._writer.is_closing():
            raise ClosedByProduct(f"the socket of {self.prompt!r} is closed")
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise ClosedByProduct(f"the socket of {self.prompt!r} broke") from error

    async def _send_headers(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        if not self._headers_sent:
            self._headers_sent = True
            await self._put(head(status, {**STREAM_HEADERS, **(headers or {})}))

    async def _write_tokens(self, tokens: Iterable[str]) -> None:
        for token in tokens:
            await self._write(event(self._answer_chunk({"content": token})))
            self.written.append((token, time.monotonic()))

    async def _stream(self, tokens: Iterable[str], rate: float) -> None:
        await asyncio.to_thread(self.wait_opened)
        due = time.monotonic()
        try:
            for token in tokens:
                await self._write_tokens((token,))
                due += 1 / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        except ClosedByProduct:
            return

    async def _finish(self, reason: str, usage: tuple[int, int], done: bool, end: bool) -> None:
        await self._write(event(self._answer_chunk({}, reason)))
        options = self.request.body.get("stream_options") or {}
        if options.get("include_usage"):
            counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
            await self._write(event({**self._answer_chunk(None), "usage": counts}))
        if done:
            await self._write(b"data: [DONE]\n\n")
        if end:
            with suppress(ClosedByProduct):  # after `[DONE]` the product may close at once
                await self._end()

    async def _end(self) -> None:
        await self._send_headers()
        await self._put(b"0\r\n\r\n")
        self._ended.set()

    async def _cut(self) -> None:
        assert self._writer
        await self._send_headers()
        self._ended.set()
        self._writer.close()

    async def _respond(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self._headers_sent, self._chunked = True, False
        await self._put(head(status, {**headers, "Content-Length": str(len(data))}) + data)
        self._ended.set()

    def _answer_chunk(self, delta: Json | None, finish_reason: str | None = None) -> Json:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": self.request.body.get("model", ""),
            "choices": choices,
        }
