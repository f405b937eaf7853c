"""One kind of page for each kind of server, over a real connection. Each checks what it receives.

A page asks for one answer at a time. `Answer` is what it saw: the words in order, the latency of each, and faults.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from bench import text

_decode = msgspec.json.Decoder().decode
ACK_INTERVAL = 1.5


@dataclass
class Answer:
    """One answer, as a page saw it."""

    key: str
    asked_at: float
    words: list[str] = field(default_factory=list)
    latencies: list[tuple[float, float]] = field(default_factory=list)
    first_at: float | None = None
    heard_at: float = field(default_factory=time.monotonic)
    stop_at: float | None = None
    ended_at: float | None = None
    text: str = ""  # only if the server sends text
    html: list[str] = field(default_factory=list)  # only if it sends HTML: the finished blocks
    tail: str = ""
    faults: list[str] = field(default_factory=list)
    frames: int = 0
    caught_up: bool = False  # replaced as a whole at its end, because the page was too far behind
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, words: list[str], now: float) -> None:
        """Record new words."""
        if not words:
            return
        if self.first_at is None:
            self.first_at = now
        for word in words:
            self.latencies.append((now, text.age(word, now)))
        self.words += words
        self.heard_at = now

    def end(self, now: float) -> None:
        self.ended_at = now
        self.over.set()

    def fault(self, what: str) -> None:
        self.faults.append(what)
        self.over.set()


class Page:
    """A page with a connection to one server."""

    def __init__(self, session: aiohttp.ClientSession, url: str, cookie: str = "") -> None:
        self.session = session
        self.url = url
        self.cookie = cookie
        self.answer: Answer | None = None
        self._reading: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Get ready to ask."""

    async def ask(self, prompt: str, key: str) -> Answer:
        raise NotImplementedError

    async def stop(self) -> None:
        """Stop the answer. With the baselines, the only way is to close the page."""
        assert self.answer is not None
        self.answer.stop_at = time.monotonic()
        await self.close()

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    def _read(self, answer: Answer, reading: Any) -> Answer:
        self.answer = answer
        self._reading = asyncio.create_task(self._guard(answer, reading))
        return answer

    async def _guard(self, answer: Answer, reading: Any) -> None:
        try:
            await reading
        except aiohttp.ClientError as error:
            answer.fault(f"{type(error).__name__}")


class SsePage(Page):
    """A page that posts its prompt and gets server-sent events with one token each."""

    async def ask(self, prompt: str, key: str) -> Answer:
        answer = Answer(key, time.monotonic())
        return self._read(answer, self._receive(answer, prompt))

    async def _receive(self, answer: Answer, prompt: str) -> None:
        async with self.session.post(self.url, json={"prompt": prompt}) as response:
            rest = b""
            async for data in response.content.iter_any():
                now = time.monotonic()
                *events, rest = (rest + data).split(b"\n\n")
                for event in events:
                    if event == b"data: [DONE]":
                        answer.end(now)
                        continue
                    content = _decode(event[6:])["content"]
                    answer.text += content
                    answer.frames += 1
                    answer.take(text.WORD.findall(content), now)
        if answer.ended_at is None:
            answer.fault("ended without [DONE]")


class TokenPage(Page):
    """A page with a WebSocket that gets one token per frame."""

    async def ask(self, prompt: str, key: str) -> Answer:
        self.socket = await self.session.ws_connect(self.url, compress=0)
        answer = Answer(key, time.monotonic())
        await self.socket.send_json({"prompt": prompt})
        return self._read(answer, self._receive(answer))

    async def close(self) -> None:
        await super().close()
        if self._reading is not None:
            await self.socket.close()

    async def _receive(self, answer: Answer) -> None:
        async for message in self.socket:
            now = time.monotonic()
            frame = _decode(message.data)
            if "done" in frame:
                answer.end(now)
                break
            answer.frames += 1
            answer.text += frame["content"]
            answer.take(text.WORD.findall(frame["content"]), now)
        if answer.ended_at is None:
            answer.fault("closed before the end")


class RelayPage(TokenPage):
    """A page with a WebSocket that gets the provider's bytes unchanged."""

    async def _receive(self, answer: Answer) -> None:
        rest = b""
        async for message in self.socket:
            now = time.monotonic()
            answer.frames += 1
            *events, rest = (rest + message.data).split(b"\n\n")
            for event in events:
                if event == b"data: [DONE]":
                    answer.end(now)
                    return
                choices = _decode(event[6:])["choices"]
                content = choices[0]["delta"].get("content", "") if choices else ""
                answer.text += content
                answer.take(text.WORD.findall(content), now)
        answer.fault("closed before the end")


class ChatPage(Page):
    """A page of the product (docs/protocol.md). It acknowledges, and checks the sequence of every frame."""

    def __init__(self, session: aiohttp.ClientSession, url: str, cookie: str = "") -> None:
        super().__init__(session, url, cookie)
        self.received = 0
        self._acked_at = 0.0
        self._seq = 0
        self._generation: str | None = None

    async def connect(self) -> None:
        origin = self.url.replace("ws://", "http://").removesuffix("/ws/")
        headers = {"Cookie": self.cookie, "Origin": origin}
        self.socket = await self.session.ws_connect(self.url, headers=headers, compress=0, max_msg_size=0)
        hello = _decode((await self.socket.receive()).data)
        self.received = 1
        if hello["op"] != "hello":
            raise RuntimeError(f"expected hello, got {hello}")
        self._reading = asyncio.create_task(self._receive())

    async def ask(self, prompt: str, key: str) -> Answer:
        answer = self.answer = Answer(key, time.monotonic())
        self._generation = None
        command = {"op": "send", "id": str(uuid.uuid4()), "content": prompt, "conversation": None, "parent": None}
        await self.socket.send_json(command)
        return answer

    async def stop(self) -> None:
        assert self.answer is not None
        self.answer.stop_at = time.monotonic()
        await self.socket.send_json({"op": "stop", "generation": self._generation})

    async def close(self) -> None:
        await self.socket.close(code=1001)
        await super().close()

    async def _receive(self) -> None:
        async for message in self.socket:
            now = time.monotonic()
            self.received += 1
            frame = _decode(message.data)
            self._apply(frame, now)
            if frame["op"] == "ping" or now - self._acked_at >= ACK_INTERVAL:
                self._acked_at = now
                await self.socket.send_str(f'{{"op":"ack","received":{self.received}}}')
        if self.answer is not None and not self.answer.over.is_set():
            self.answer.fault(f"closed with {self.socket.close_code}")

    def _apply(self, frame: dict[str, Any], now: float) -> None:
        take = getattr(self, f"_{frame['op']}", None)
        if take is not None and self.answer is not None:
            take(frame, self.answer, now)

    def _transcript(self, frame: dict[str, Any], answer: Answer, now: float) -> None:
        self._generation, self._seq = frame["generation"], 0
        if self._generation is None and not answer.over.is_set():  # it ended while this page was too far behind
            content = frame["html"].rpartition("data-content")[2].partition(">")[2].partition("</div>")[0]
            self._show(content, "", answer, now)
            answer.caught_up = True
            answer.end(now)

    def _snapshot(self, frame: dict[str, Any], answer: Answer, now: float) -> None:
        self._seq = frame["seq"]
        answer.html.clear()
        self._show(frame["html"], frame["tail"], answer, now)

    def _delta(self, frame: dict[str, Any], answer: Answer, now: float) -> None:
        if self._follows(frame, answer):
            # All text is ASCII here, so UTF-16 code units and characters are the same.
            self._show(frame["html"], answer.tail[: frame["keep"]] + frame["tail"], answer, now)

    def _end(self, frame: dict[str, Any], answer: Answer, now: float) -> None:
        if self._follows(frame, answer):
            if answer.tail:
                answer.fault("the end came with an unfinished tail")
            answer.end(now)

    def _refused(self, frame: dict[str, Any], answer: Answer, now: float) -> None:
        answer.fault(f"refused: {frame['code']}")

    def _follows(self, frame: dict[str, Any], answer: Answer) -> bool:
        if frame["generation"] != self._generation:
            return False
        if frame["seq"] != self._seq + 1:
            answer.fault(f"seq {frame['seq']} after {self._seq}")
        self._seq = frame["seq"]
        return True

    def _show(self, html: str, tail: str, answer: Answer, now: float) -> None:
        """Record the words after the last known one: frames repeat earlier words of the tail."""
        answer.frames += 1
        shown = html + tail
        last = answer.words[-1] if answer.words else ""
        place = shown.rfind(last) if last else -1
        answer.take(text.WORD.findall(shown, place + text.WIDTH if place >= 0 else 0), now)
        if html:
            answer.html.append(html)
        answer.tail = tail


KINDS: dict[str, type[Page]] = {"chat": ChatPage, "sse": SsePage, "token": TokenPage, "relay": RelayPage}
