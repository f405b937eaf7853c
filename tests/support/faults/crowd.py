"""Many pages at once: their sockets share one event loop, for scenarios with a hundred streams.

    async with Crowd(server, people) as crowd:
        streams = await crowd.ask([Plan() for _ in range(100)])
        await streams[0].begun()
        streams[0].stop()
        await streams[0].ended()

Records what arrives and acknowledges it as a page does, for `tests.support.faults.checker` to check afterwards.
"""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from conversations.models import Generation
from tests.support.faults.steady_provider import Plan
from tests.support.people import Person
from tests.support.protocol_rules import Event
from tests.support.servers import Server
from tests.support.sockets import ACK_INTERVAL

TIMEOUT = 20.0
_decode = msgspec.json.Decoder().decode


class Page:
    """One page's socket on the running loop."""

    def __init__(self, person: Person, server: Server) -> None:
        self.person = person
        self.server = server
        self.events: list[Event] = []
        self.close_code: int | None = None
        self.closed_at: float | None = None
        self.acknowledges = True
        self.asked = 0
        self._waiting: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []
        self._acked_at = 0.0
        self._reading = asyncio.Event()
        self._reading.set()

    async def open(self) -> Self:
        self.connection: ClientConnection = await connect(
            self.server.ws_url,
            origin=self.server.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": self.person.cookie},
            compression=None,
            proxy=None,
            ping_interval=None,
            max_size=None,
            max_queue=4,
            close_timeout=2,
            open_timeout=TIMEOUT,
        )
        self._task = asyncio.create_task(self._read())
        await self.wait("hello")
        return self

    async def send(self, op: str, **fields: Any) -> float:
        """Send a command; returns the time before sending."""
        at = time.monotonic()
        await self.connection.send(json.dumps({"op": op, **fields}))
        return at

    async def ask(self, plan: Plan, **fields: Any) -> "Stream":
        """Ask in a new conversation, as a page that shows none does."""
        self.asked += 1
        stream = Stream(self, plan, str(uuid.uuid4()))
        await self.send("watch", conversation=None)
        await self.send("send", id=stream.command, content=plan.prompt, **fields)
        return stream

    async def wait(self, op: str, timeout: float = TIMEOUT, **match: Any) -> Event:
        for event in self.events:
            if event.fits(op, match):
                return event
        found: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda event: event.fits(op, match), found))
        try:
            return await asyncio.wait_for(found, timeout)
        except TimeoutError:
            seen = [str(dict(event.fields))[:160] for event in self.events[-5:]]
            raise AssertionError(f"no {op} {match} within {timeout:g} s; closed: {self.close_code}; {seen}") from None

    def silence(self) -> float:
        """Seconds since the last event arrived."""
        return time.monotonic() - self.events[-1].at

    async def wait_idle(self) -> None:
        """Wait until all answers that this page asked for are over, whatever their outcome; `activity` tells every
        page."""
        await self.wait_for(lambda: self._over() >= self.asked)

    def _over(self) -> int:
        return sum(1 for event in self.events if event.op == "activity" and event.fields["generation"] is None)

    async def wait_for(self, true: Callable[[], bool], timeout: float = TIMEOUT) -> None:
        limit = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < limit, f"not within {timeout:g} s; closed: {self.close_code}"
            await asyncio.sleep(0.02)

    @property
    def port(self) -> int:
        """The local port, by which the server's end can be found."""
        return int(self.connection.local_address[1])

    def stall(self) -> None:
        """Stop reading."""
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    async def close(self, code: int = 1001) -> None:
        self._reading.set()
        await self.connection.close(code)
        await self._task

    async def closed(self, timeout: float = TIMEOUT) -> int:
        await asyncio.wait_for(asyncio.shield(self._task), timeout)
        assert self.close_code is not None
        return self.close_code

    async def _read(self) -> None:
        try:
            while True:
                await self._reading.wait()
                data = await self.connection.recv()
                event = Event(_decode(data), time.monotonic())
                self.events.append(event)
                self._hand_out(event)
                if self.acknowledges and (event.op == "ping" or event.at - self._acked_at >= ACK_INTERVAL):
                    self._acked_at = event.at
                    await self.send("ack", received=len(self.events))
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else 1006
            self.closed_at = time.monotonic()
            for _fits, found in self._waiting:
                if not found.done():
                    found.set_exception(AssertionError(f"closed with {self.close_code}"))

    def _hand_out(self, event: Event) -> None:
        if not self._waiting:
            return
        rest = []
        for fits, found in self._waiting:
            if not found.done() and fits(event):
                found.set_result(event)
            elif not found.done():
                rest.append((fits, found))
        self._waiting = rest


class Stream:
    """One answer that a page asked for."""

    def __init__(self, page: Page, plan: Plan, command: str) -> None:
        self.page = page
        self.plan = plan
        self.command = command
        self.stopped_at: float | None = None
        self.status = ""

    async def begun(self) -> str:
        """Wait until the page knows the generation; returns its id."""
        event = await self.page.wait("transcript", id=self.command)
        self.conversation = str(event["conversation"])
        self.message = str(event["head"])
        self.generation = str(event["generation"] or _last("generation-id", event))
        if event["generation"] is None:  # it was over before the page learned of it
            self.status = _last("status", event)
        return self.generation

    async def wait_flowing(self, frames: int = 10) -> None:
        """Wait until the page has received this number of frames."""
        await self.page.wait_for(lambda: self._shown() >= frames)

    def _shown(self) -> int:
        return sum(1 for event in self.page.events if event.fits("delta", {"generation": self.generation}))

    async def stop(self, *, by_command: bool = False) -> float:
        """Press Stop; returns the time."""
        which = {"id": self.command} if by_command else {"generation": self.generation}
        self.stopped_at = await self.page.send("stop", **which)
        return self.stopped_at

    async def ended(self, timeout: float = TIMEOUT) -> Event:
        return await self.page.wait("end", timeout, generation=self.generation)


def _last(attribute: str, event: Event) -> str:
    """The last `data-` attribute with this name in a transcript, which belongs to the answer."""
    return str(re.findall(f'data-{attribute}="([^"]*)"', event["html"])[-1])


class Crowd:
    """The pages of many people, each with one socket."""

    def __init__(self, server: Server, people: Sequence[Person]) -> None:
        self.server = server
        self.people = people
        self.pages: list[Page] = []
        self.gone: list[Page] = []
        self.streams: list[Stream] = []

    async def __aenter__(self) -> Self:
        for person in self.people:
            self.pages.append(await Page(person, self.server).open())
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.gather(*(page.close() for page in self.pages), return_exceptions=True)

    @property
    def all_pages(self) -> list[Page]:
        return self.pages + self.gone

    @property
    def generations(self) -> list[str]:
        """The generations of all streams, whether or not a page was told of them."""
        prompts = [stream.plan.prompt for stream in self.streams]
        return [
            str(pk)
            for pk in Generation.objects.filter(message__parent__content__in=prompts).values_list("pk", flat=True)
        ]

    async def ask(self, plans: Iterable[Plan]) -> list[Stream]:
        """Let each page ask once; returns when every page knows its stream."""
        streams = [await page.ask(plan) for page, plan in zip(self.pages, plans, strict=False)]
        self.streams += streams
        await asyncio.gather(*(stream.begun() for stream in streams))
        return streams
