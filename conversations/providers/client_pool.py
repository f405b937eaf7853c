"""The clients of this process: one for each endpoint, created on first use and closed when no longer needed.

Belongs to the event loop. A changed endpoint counts as a new one; running generations keep the client of the old one.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from django.conf import settings

from conversations.providers.demo.server import Demo
from conversations.providers.demo.server import start as start_demo

from .client import ProviderClient
from .endpoints import Endpoint


class ClientPool:
    """`client`, `acquire` and `release` do not wait."""

    def __init__(self) -> None:
        self._clients: dict[Endpoint, ProviderClient] = {}
        self._uses: Counter[Endpoint] = Counter()
        self._retained: set[Endpoint] = set()
        self._demo: Demo | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def retain(self, endpoints: Iterable[Endpoint]) -> None:
        """Keep the clients of these endpoints; close every other one that is unused. Starts the demo model if one of
        them needs it. Raises OSError. May be cancelled; the next call makes up for it."""
        self._retained = set(endpoints)
        if self._demo is None and any(endpoint.demo for endpoint in self._retained):
            self._demo = await start_demo(settings.CHAT_DEMO_RATE)
        for endpoint in self._clients.keys() - self._retained:
            self._close_if_unused(endpoint)

    def client(self, endpoint: Endpoint) -> ProviderClient:
        """The client of an endpoint, for a short request."""
        if endpoint not in self._clients:
            self._clients[endpoint] = ProviderClient(self._with_address(endpoint))
        return self._clients[endpoint]

    def acquire(self, endpoint: Endpoint) -> ProviderClient:
        """The client of an endpoint, for a generation: it stays open until `release`."""
        self._uses[endpoint] += 1
        return self.client(endpoint)

    def release(self, endpoint: Endpoint) -> None:
        """End one use that `acquire` began."""
        self._uses[endpoint] -= 1
        if endpoint not in self._retained:
            self._close_if_unused(endpoint)

    async def close(self) -> None:
        """Close all clients, including those in use, and the demo model. Must not be cancelled."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._demo is not None:
            await self._demo.close()

    def _with_address(self, endpoint: Endpoint) -> Endpoint:
        """Fill in the demo's address and key, which are known only once it has started."""
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
