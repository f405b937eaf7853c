"""The lists of models that endpoints gave this process. A failed request leaves the last list in place.

Belongs to the event loop. A failure is logged once, and again when its reason changes.
"""

import asyncio
import logging
import time
from collections.abc import Iterable

from conversations.providers.client_pool import ClientPool
from conversations.providers.connection_error_text import describe
from conversations.providers.endpoints import Endpoint
from conversations.providers.model_list import ListedModel

logger = logging.getLogger(__name__)

MAX_AGE = 60.0
"""Seconds after which a list is requested again."""

MAX_AGE_FOR_WINDOWS = 600.0
"""The same, in seconds, if only context windows are needed."""

TIMEOUT = 5.0
"""Seconds that one request may take, and until a failed one is repeated."""

ListSource = tuple[int, str, str]
"""What a list depends on: the id of the endpoint's record, the base URL and the key."""


class ModelLists:
    """The newest list of each endpoint. `get` may be called from any thread."""

    def __init__(self) -> None:
        self._lists: dict[ListSource, tuple[ListedModel, ...]] = {}
        self._fetched_at: dict[ListSource, float] = {}
        self._failed_at: dict[ListSource, float] = {}
        self._failures: dict[ListSource, str] = {}

    def get(self, endpoint: Endpoint) -> tuple[ListedModel, ...]:
        """The last list of this endpoint; empty if it never gave one."""
        return self._lists.get(_source(endpoint), ())

    async def fetch(self, clients: ClientPool, endpoints: Iterable[Endpoint], max_age: float = MAX_AGE) -> bool:
        """Request the lists that are older than `max_age` seconds, all at once. True if any was requested.

        A failed request raises nothing, so it does not affect the other lists. May be cancelled.
        """
        due = {_source(each): each for each in endpoints if self._is_due(_source(each), max_age)}
        await asyncio.gather(*(self._fetch(clients, endpoint, max_age) for endpoint in due.values()))
        return bool(due)

    def _is_due(self, source: ListSource, max_age: float) -> bool:
        retry = TIMEOUT if max_age == MAX_AGE else MAX_AGE
        fetched_at, failed_at = self._fetched_at.get(source, -max_age), self._failed_at.get(source, -retry)
        return time.monotonic() >= max(fetched_at + max_age, failed_at + retry)

    async def _fetch(self, clients: ClientPool, endpoint: Endpoint, max_age: float) -> None:
        source = _source(endpoint)
        try:
            async with asyncio.timeout(TIMEOUT):
                self._lists[source] = await clients.client(endpoint).models()
        except Exception as error:  # noqa: BLE001 - no client can be made for some addresses
            self._failed_at[source] = time.monotonic()
            self._log_failure(endpoint, describe(error), logging.WARNING if max_age == MAX_AGE else logging.INFO)
            return
        self._fetched_at[source] = time.monotonic()
        if self._failures.pop(source, ""):
            logger.info("endpoint %s lists its models again", endpoint)

    def _log_failure(self, endpoint: Endpoint, reason: str, level: int) -> None:
        if self._failures.get(_source(endpoint)) != reason:
            self._failures[_source(endpoint)] = reason
            logger.log(level, "endpoint %s did not list its models: %s", endpoint, reason)


def _source(endpoint: Endpoint) -> ListSource:
    return endpoint.row, endpoint.base_url, endpoint.key
