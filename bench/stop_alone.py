"""Time from Stop to the closed upstream, for a Stop over the page's socket and for a click in Chromium.

The baseline is a bare client that cancels its own request to the same provider in the same run; no product can be
faster. Times are in milliseconds. The provider streams 50 tokens per second and records when its socket is closed.
With TLS, it never answers the closing of a connection, and is stopped both while it streams and while it is silent.
"""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from tests.support import environment

environment.prepare_test_process()

import aiohttp  # noqa: E402
from django.core.management import call_command  # noqa: E402

from tests.support import servers  # noqa: E402
from tests.support.browser.chat import Chat, chromium, sign_in_browser  # noqa: E402
from tests.support.database import Database  # noqa: E402
from tests.support.people import Person, new_person  # noqa: E402
from tests.support.provider.exchange import Exchange  # noqa: E402
from tests.support.provider.server import Provider  # noqa: E402
from tests.support.provider.tls import SilentTls  # noqa: E402
from tests.support.servers import Server  # noqa: E402
from tests.support.sockets import Socket  # noqa: E402

RATE = 50
OFTEN = {"CHAT_MAX_ANSWERS_PER_MINUTE": 100_000}
SHUTDOWN = 30.0
"""Seconds after which asyncio gives up an orderly TLS shutdown."""

RUNS = int(os.environ.get("BENCH_RUNS", "50"))
CLICKS = int(os.environ.get("BENCH_CLICKS", "30"))


@dataclass
class Times:
    """The measurements of one way to stop."""

    name: str
    milliseconds: list[float]
    tokens_after: list[int]

    def line(self, floor: float) -> str:
        ordered = sorted(self.milliseconds)
        p50, p99 = median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        tokens = f"{max(self.tokens_after)}" if self.tokens_after else "–"
        figures = f"{p50:.1f} | {p99:.1f} | {ordered[-1]:.1f} | {tokens} | {p50 / floor:.1f}"
        return f"| {self.name} | {len(ordered)} | {figures} |"


def measure(name: str, runs: int, once: Callable[[], tuple[float, Exchange]]) -> Times:
    times = Times(name, [], [])
    for _ in range(runs):
        asked_at, exchange = once()
        closed_at = exchange.wait_closed(2 * SHUTDOWN)
        times.milliseconds.append((closed_at - asked_at) * 1000)
        times.tokens_after.append(exchange.tokens_after(asked_at))
    return times


def bare(provider: Provider) -> tuple[float, Exchange]:
    """Measure a client that only reads, and cancels its own request."""
    exchange = provider.expect()

    async def run() -> float:
        async with aiohttp.ClientSession() as session:
            body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": exchange.prompt}]}

            async def read() -> None:
                async with session.post(f"{provider.url}/chat/completions", json=body) as response:
                    async for _chunk in response.content.iter_any():
                        pass

            reading = asyncio.create_task(read())
            await asyncio.to_thread(exchange.stream(words(), RATE).wait_written, 5)
            asked_at = time.monotonic()
            reading.cancel()
            await asyncio.wait({reading})
            return asked_at

    return asyncio.run(run()), exchange


def by_frame(provider: Provider, server: Server, person: Person, *, silent: bool = False) -> tuple[float, Exchange]:
    """Measure a Stop over the socket, while the provider streams or is `silent`."""
    exchange = provider.expect()
    socket = Socket(person, server.ws_url, origin=server.url)
    try:
        socket.wait("hello")
        asked = socket.ask(exchange.prompt)
        exchange.stream(words()[:5] if silent else words(), RATE).wait_written(5)
        asked.wait_text("word4")
        asked_at = asked.stop()
        exchange.wait_closed(2 * SHUTDOWN)
        assert asked.outcome == ("interrupted", "stopped")
        return asked_at, exchange
    finally:
        socket.close()


def by_click(provider: Provider, chat: Chat) -> tuple[float, Exchange]:
    """Measure a click on the button, timed by the browser's clock."""
    exchange = provider.expect()
    chat.open("/")
    chat.page.evaluate(
        "addEventListener('click', () => { window.clickedAt = performance.timeOrigin + performance.now() }, true)"
    )
    chat.ask(exchange.prompt)
    exchange.stream(words(), RATE).wait_written(5)
    chat.stop()
    chat.see_status("interrupted")
    clicked_at = float(chat.page.evaluate("window.clickedAt")) / 1000
    return clicked_at - time.time() + time.monotonic(), exchange


def over_tls(provider: Provider, person: Person) -> list[Times]:
    """Measure Stops over the socket at a server that reaches its provider over TLS."""
    front = SilentTls(provider)
    with servers.running(
        OPENAI_BASE_URL=front.url, SSL_CERT_FILE=front.certificate, CHAT_MODELS="m", **OFTEN
    ) as server:
        here = person.at(server)
        streaming = measure("… over TLS", RUNS, lambda: by_frame(provider, server, here))
        silent = measure("… over TLS, silent", RUNS, lambda: by_frame(provider, server, here, silent=True))
    front.stop()
    return [streaming, silent]


def words() -> list[str]:
    return [f"word{number} " for number in range(2000)]


def main() -> None:
    database = Database()
    call_command("migrate", verbosity=0)
    provider = Provider()
    with servers.running(OPENAI_BASE_URL=provider.url, **OFTEN) as server:
        person = new_person("bench", server)
        floor = measure("bare client cancels itself", RUNS, lambda: bare(provider))
        table = [floor, measure("Stop over the socket", RUNS, lambda: by_frame(provider, server, person))]
        table += over_tls(provider, person)
        with chromium() as browser:  # Playwright's event loop occupies this thread from here on
            context = browser.new_context()
            sign_in_browser(context, person)
            chat = Chat(context.new_page(), server)
            table.append(measure("click in Chromium", CLICKS, lambda: by_click(provider, chat)))
    provider.stop()
    database.stop()
    print("| Stop → upstream closed | runs | p50 ms | p99 ms | max ms | tokens after | p50 ÷ bare |")
    print("|---|---|---|---|---|---|---|")
    for times in table:
        print(times.line(median(floor.milliseconds)))
