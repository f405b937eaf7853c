"""A fast fake provider in its own process: `python -m bench.provider`. It prints its port on the first line.

The prompt describes the answer: `key=… tokens=500 rate=50 shape=answer`. All streams share one loop that wakes up every
`TICK` seconds and writes the tokens that are due, each as one chunk with one write, as providers do. `/streams` reports
what was written and when connections were closed.
"""

import asyncio
import json
import re
import time
from collections import defaultdict
from typing import Any

import msgspec

from bench import text

TICK = 0.002
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BEFORE = (
    'data: {"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk","created":1700000000,"model":"bench",'
    '"system_fingerprint":"fp_bench","choices":[{"index":0,"delta":{"content":"'
)
BEHIND = '"},"logprobs":null,"finish_reason":null}]}\n\n'
FINISH = (
    'data: {"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk","created":1700000000,"model":"bench",'
    '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    'data: {"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk","created":1700000000,"model":"bench",'
    '"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":%d,"total_tokens":20}}\n\n'
    "data: [DONE]\n\n"
)
WISHES = re.compile(r"(\w+)=(\S+)")


class Stream:
    """One streaming answer."""

    def __init__(self, transport: asyncio.Transport, wishes: dict[str, str], now: float) -> None:
        self.transport = transport
        self.key = wishes.get("key", "")
        self.tokens = int(wishes.get("tokens", "20"))
        self.gap = 1 / float(wishes.get("rate", "50"))
        self.shape = text.SHAPES[wishes.get("shape", "answer")]
        self.asked_at = now
        self.due = now
        self.closed_at: float | None = None
        self.ended = False
        self.parts: list[str] = []
        self._moment = 0

    def write_due(self, now: float) -> int:
        """Write the tokens that are due. Return how many."""
        before = len(self.parts)
        while self.due <= now and len(self.parts) < self.tokens:
            self._write_token()
            self.due += self.gap
        if len(self.parts) >= self.tokens:
            self._write_end()
        return len(self.parts) - before

    def _write_token(self) -> None:
        self._moment = max(self._moment + 1, int(time.monotonic() / text.UNIT))
        opening, closing = self.shape.around(len(self.parts))
        token = f"{opening}{text.word(self._moment)}{closing}"
        self.parts.append(token)
        self._chunk(f"{BEFORE}{_escaped(token)}{BEHIND}")

    def _write_end(self) -> None:
        self._chunk(FINISH % self.tokens)
        self.transport.write(b"0\r\n\r\n")
        self.ended = True

    def _chunk(self, data: str) -> None:
        self.transport.write(f"{len(data):x}\r\n{data}\r\n".encode())


def _escaped(token: str) -> str:
    return token.replace("\n", "\\n") if "\n" in token else token


class Streams:
    """All streams, and the loop that writes them."""

    def __init__(self) -> None:
        self.all: dict[str, Stream] = {}
        self.written = 0
        self._due: dict[int, list[Stream]] = defaultdict(list)
        self._slot = int(time.monotonic() / TICK)

    def add(self, stream: Stream) -> None:
        self.all[stream.key] = stream
        self._write(stream, time.monotonic())

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            last = int(now / TICK)
            for slot in range(self._slot, last):
                for stream in self._due.pop(slot, ()):
                    self._write(stream, now)
            self._slot = last

    def _write(self, stream: Stream, now: float) -> None:
        if stream.closed_at is not None:
            return
        self.written += stream.write_due(now)
        if not stream.ended:
            self._due[max(self._slot + 1, int(stream.due / TICK))].append(stream)

    def report(self) -> dict[str, Any]:
        """Return everything about the streams so far, and forget those that are over."""
        told = {
            key: {"text": "".join(s.parts), "asked_at": s.asked_at, "closed_at": s.closed_at, "ended": s.ended}
            for key, s in self.all.items()
        }
        self.all = {key: s for key, s in self.all.items() if not s.ended and s.closed_at is None}
        return told


class Connection(asyncio.Protocol):
    """HTTP/1.1, as much of it as the clients of this program need."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._data = b""
        self._stream: Stream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        size = int(length.group(1)) if length else 0
        if len(body) >= size:
            self._data = body[size:]
            self._answer(head, body[:size])

    def connection_lost(self, error: Exception | None) -> None:
        if self._stream is not None and not self._stream.ended:
            self._stream.closed_at = time.monotonic()

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST"):
            self._begin(body)
        elif head.startswith(b"GET /streams"):
            self._tell(self._streams.report())
        elif head.startswith(b"GET /written"):
            self._tell({"written": self._streams.written, "cpu": time.process_time()})
        else:
            self._tell({"object": "list", "data": [{"id": "bench", "object": "model", "created": 1, "owned_by": "b"}]})

    def _begin(self, body: bytes) -> None:
        self._transport.write(HEAD)
        prompt = msgspec.json.decode(body)["messages"][-1]["content"]
        self._stream = Stream(self._transport, dict(WISHES.findall(prompt)), time.monotonic())
        self._streams.add(self._stream)

    def _tell(self, value: object) -> None:
        data = json.dumps(value).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self._transport.write(head.encode() + data)


async def main() -> None:
    streams = Streams()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(streams), "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await streams.run()


if __name__ == "__main__":
    asyncio.run(main())
