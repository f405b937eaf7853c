"""A fake provider controlled by the test: an OpenAI-compatible HTTP server on loopback."""

import asyncio
import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from tests.support.polling import TIMEOUT
from tests.support.provider.exchange import ClosedByProduct, Exchange
from tests.support.provider.http import Json, Request, head, read_request

DEFAULT_ANSWER = ("This ", "is ", "a ", "short ", "answer.")


class Provider:
    """The HTTP server for `/v1/models` and `/v1/chat/completions`, in a thread and an event loop of its own."""

    def __init__(self, models: Iterable[str] = ("alpha-model", "beta-model")) -> None:
        self.models = list(models)
        self.lists: dict[str, Json] = {}  # by path, in place of `models`
        self.requests: list[Request] = []
        self.exchanges: list[Exchange] = []
        self.open_sockets = 0
        self.loop = asyncio.new_event_loop()
        self._expected: list[Exchange] = []
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self.loop.run_forever, name="provider", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(TIMEOUT)

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """The value for `OPENAI_BASE_URL`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def expect(self, prompt: str = "") -> Exchange:
        """Let the test answer the next request that contains this text in one of its messages.

        The text has to be unique. If omitted, one is generated and is in `exchange.prompt`.

        A request goes to the expectation whose text is in the latest message, and among those to the oldest.
        """
        exchange = Exchange(self, prompt or f"Tell me about {secrets.token_hex(6)}")
        with self._lock:
            self._expected.append(exchange)
        return exchange

    def forget(self, exchange: Exchange) -> None:
        """Stop expecting this request."""
        with self._lock:
            if exchange in self._expected:
                self._expected.remove(exchange)

    def asked(self, text: str) -> list[Request]:
        """All requests for an answer so far that contain this text in any message."""
        return [request for request in list(self.requests) if request.place_of(text) >= 0]

    def counts(self) -> Counter[str]:
        """The number of requests for each last message."""
        return Counter(request.contents[-1] for request in list(self.requests) if request.contents)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(TIMEOUT)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(TIMEOUT)
        self.loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 24)

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.open_sockets += 1
        last: Exchange | None = None
        try:
            while request := await read_request(reader):
                last = self._claim(request)
                if not await self._serve(last, request, reader, writer):
                    break
        except asyncio.CancelledError:
            pass  # only `stop` cancels; asyncio's callback would report the cancellation as an error
        finally:
            self._tasks.discard(task)
            self.open_sockets -= 1
            if last:
                last.note_closed()
            writer.close()

    async def _serve(
        self, exchange: Exchange, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if request.path.endswith("/models"):
            names = {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]}
            answer = self.lists.get(request.path, names)
            data = json.dumps(answer).encode()
            writer.write(head(200, {"Content-Type": "application/json", "Content-Length": str(len(data))}) + data)
            return True
        self.requests.append(request)
        self.exchanges.append(exchange)
        if not exchange.prompt:
            self._answer_by_itself(exchange)
        return await exchange.serve(request, reader, writer)

    def _answer_by_itself(self, exchange: Exchange) -> None:
        def answer() -> None:
            with suppress(ClosedByProduct):
                exchange.write_tokens(*DEFAULT_ANSWER).finish()

        threading.Thread(target=answer, daemon=True).start()

    def _claim(self, request: Request) -> Exchange:
        with self._lock:
            fitting = [exchange for exchange in self._expected if request.place_of(exchange.prompt) >= 0]
            if not fitting:
                return Exchange(self)
            chosen = max(fitting, key=lambda exchange: request.place_of(exchange.prompt))
            self._expected.remove(chosen)
            return chosen
