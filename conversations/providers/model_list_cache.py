"""The lists of models that endpoints gave to this process: asked again when they are old; kept where one fails.

Lives on the event loop. A list that cannot be had is written to the log once, and again when the reason changes.
"""

import asyncio
import logging
import time
from collections.abc import Iterable

from .client_pool import Providers
from .endpoints import Endpoint
from .model_list_format import Listed
from .sse import ProviderError

logger = logging.getLogger(__name__)

FRESH = 60.0
"""Seconds for which a list is taken as it is."""

SELDOM = 600.0
"""The same where only the size of models is of interest."""

RETRY = 5.0
"""Seconds that an endpoint may take to list its models, and after which one that did not is asked again."""

Address = tuple[int, str, str]
"""Record of the endpoint, base URL and key: what a list depends on."""


class Lists:
    """`of` may be used from any thread."""

    def __init__(self) -> None:
        self._listed: dict[Address, tuple[Listed, ...]] = {}
        self._had_at: dict[Address, float] = {}
        self._failed_at: dict[Address, float] = {}
        self._trouble: dict[Address, str] = {}

    def of(self, endpoint: Endpoint) -> tuple[Listed, ...]:
        """What it listed last; nothing if it never did."""
        return self._listed.get(_address(endpoint), ())

    async def ask(self, providers: Providers, endpoints: Iterable[Endpoint], fresh: float = FRESH) -> bool:
        """Ask those whose list is older than `fresh` seconds. True if any was asked. Raises nothing: a list that cannot
        be had is no reason to do without the others."""
        due = {_address(each): each for each in endpoints if self._is_due(_address(each), fresh)}
        await asyncio.gather(*(self._ask(providers, endpoint, fresh) for endpoint in due.values()))
        return bool(due)

    def _is_due(self, address: Address, fresh: float) -> bool:
        now = time.monotonic()
        patience = RETRY if fresh == FRESH else FRESH
        return now >= max(self._had_at.get(address, -fresh) + fresh, self._failed_at.get(address, -patience) + patience)

    async def _ask(self, providers: Providers, endpoint: Endpoint, fresh: float) -> None:
        address = _address(endpoint)
        try:
            async with asyncio.timeout(RETRY):
                self._listed[address] = await providers.of(endpoint).models()
        except Exception as error:  # noqa: BLE001 - an address may be one that no client can be made for
            self._failed_at[address] = time.monotonic()
            self._tell(endpoint, why(error), logging.WARNING if fresh == FRESH else logging.INFO)
            return
        self._had_at[address] = time.monotonic()
        if self._trouble.pop(address, ""):
            logger.info("endpoint %s lists its models again", endpoint)

    def _tell(self, endpoint: Endpoint, reason: str, level: int) -> None:
        if self._trouble.get(_address(endpoint)) != reason:
            self._trouble[_address(endpoint)] = reason
            logger.log(level, "endpoint %s did not list its models: %s", endpoint, reason)


def why(error: BaseException) -> str:
    """What went wrong with a request to a provider, for the log: never empty, without secrets and addresses."""
    if isinstance(error, ProviderError):
        outcome = error.outcome
        status = f"HTTP status {outcome.code}" if outcome.code.isdigit() else outcome.code
        return ", ".join(part for part in (status, outcome.detail) if part) or outcome.reason.value
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__


def _address(endpoint: Endpoint) -> Address:
    return endpoint.row, endpoint.base_url, endpoint.key
