"""Which models are offered: those of the setting, else what the endpoint lists."""

import asyncio
import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from .chunks import ProviderError
from .llm import Provider

logger = logging.getLogger(__name__)

FRESH = 60.0
"""Seconds for which a list of the endpoint is taken as it is."""

RETRY = 5.0
"""Seconds after which an endpoint that did not answer is asked again."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model as the picker shows it. `key` is what conversations and frames call it."""

    key: str
    label: str
    default: bool = False


class Catalogue:
    """`offered` may be read from any thread."""

    def __init__(self) -> None:
        self.offered: tuple[str, ...] = tuple(settings.CHAT_MODELS)
        self._fixed = bool(settings.CHAT_MODELS)
        self._provider: Provider | None = None
        self._due = 0.0
        self._asking: asyncio.Task[None] | None = None

    def choices(self, user: AbstractBaseUser | AnonymousUser) -> list[Choice]:
        """What this person may choose from, in the order of the picker."""
        return [Choice(key, key, default=place == 0) for place, key in enumerate(self.offered)]

    async def start(self, provider: Provider) -> None:
        self._provider = provider
        await self.refresh()

    async def refresh(self) -> None:
        """Ask the endpoint again if its list is old. A list that cannot be had leaves the last one."""
        if self._fixed or self._provider is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + RETRY
        try:
            async with asyncio.timeout(RETRY):
                listed = await self._provider.models()
        except (ProviderError, TimeoutError) as error:
            logger.warning("the endpoint did not list its models: %s", error or type(error).__name__)
            return
        self.offered = tuple(sorted(set(listed)))
        self._due = time.monotonic() + FRESH


catalogue = Catalogue()
