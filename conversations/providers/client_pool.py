"""The clients of this process: one for each endpoint, made when needed and closed when nothing uses it any more.

Lives on the event loop. An endpoint that an administrator changes is another endpoint here; the runs of the old one
keep their client to the end.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from django.conf import settings

from conversations.providers.demo.server import Demo
from conversations.providers.demo.server import start as start_demo

from .client import Provider
from .endpoints import Endpoint


class Providers:
    """`of`, `take` and `give_back` never wait."""

    def __init__(self) -> None:
        self._clients: dict[Endpoint, Provider] = {}
        self._uses: Counter[Endpoint] = Counter()
        self._wanted: set[Endpoint] = set()
        self._demo: Demo | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def provide(self, endpoints: Iterable[Endpoint]) -> None:
        """From now on these are wanted, and no others: clients that nothing uses are closed. Raises OSError."""
        self._wanted = set(endpoints)
        if self._demo is None and any(endpoint.demo for endpoint in self._wanted):
            self._demo = await start_demo(settings.CHAT_DEMO_RATE)
        for endpoint in self._clients.keys() - self._wanted:
            self._close_if_unused(endpoint)

    def of(self, endpoint: Endpoint) -> Provider:
        """The client of an endpoint, for a short request."""
        if endpoint not in self._clients:
            self._clients[endpoint] = Provider(self._reached(endpoint))
        return self._clients[endpoint]

    def take(self, endpoint: Endpoint) -> Provider:
        """The client of an endpoint, for a run: it stays open until `give_back`."""
        self._uses[endpoint] += 1
        return self.of(endpoint)

    def give_back(self, endpoint: Endpoint) -> None:
        self._uses[endpoint] -= 1
        if endpoint not in self._wanted:
            self._close_if_unused(endpoint)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._demo is not None:
            await self._demo.close()

    def _reached(self, endpoint: Endpoint) -> Endpoint:
        if not endpoint.demo or self._demo is None:
            return endpoint
        return replace(endpoint, base_url=self._demo.base_url, key=self._demo.key)

    def _close_if_unused(self, endpoint: Endpoint) -> None:
        client = None if self._uses[endpoint] > 0 else self._clients.pop(endpoint, None)
        if client is not None:
            self._uses.pop(endpoint, None)
            task = asyncio.get_running_loop().create_task(client.close(), name=f"close {endpoint}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
