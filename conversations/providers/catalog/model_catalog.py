"""The models on offer, kept in memory: a send does not query the database for them.

Administrators decide what is offered (`endpoint_offers`). An endpoint that offers all its models is asked for its list
from time to time (`list_cache`).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from conversations.models.language_model import model_name
from conversations.providers.client_pool import ClientPool
from conversations.providers.endpoints import Endpoint
from conversations.providers.model_list import is_plausible_window
from conversations.storage.db_threads import UNAVAILABLE, in_database

from . import learned_windows, preselection
from .endpoint_offers import EndpointOffer, load
from .list_cache import MAX_AGE_FOR_WINDOWS, ModelLists
from .merge import merge
from .offered_model import Choice, Model, allowed
from .preselection import Candidate, Preselection, default

logger = logging.getLogger(__name__)

REFRESH_INTERVAL = 1.0
"""Seconds between two reads of what administrators offer. Notifications, where they work, are faster."""


class ModelCatalog:
    """The models on offer. `offered` and the methods that do not wait, except `learn_window`, may be used from any
    thread; the rest belongs to the event loop."""

    def __init__(self) -> None:
        self.offered: tuple[Model, ...] = ()
        self._clients: ClientPool | None = None
        self._offers: tuple[EndpointOffer, ...] = ()
        self._lists = ModelLists()
        self._preselection = Preselection(self._save_preselected)
        self._saving: set[asyncio.Task[None]] = set()
        self._learned: dict[tuple[str, str], int] = {}  # (base URL, model's name) to tokens

    def choices(self, user: AbstractBaseUser | AnonymousUser) -> list[Choice]:
        """What this person may choose from, in the picker's order. One of them is the default. May query the
        database."""
        offered = allowed(self.offered, user)
        preselected = default(offered)
        labels = Counter(map(str, offered))
        return [
            Choice(
                model.key,
                # The endpoints distinguish two models of the same name.
                f"{model} ({model.endpoint})" if labels[str(model)] > 1 else str(model),
                default=model is preselected,
            )
            for model in offered
        ]

    def find(self, key: str) -> Model | None:
        """The model with this key, if it is on offer."""
        return next((model for model in self.offered if model.key == key), None)

    def label(self, key: str) -> str:
        """The model's name for people. For one that is no longer offered, the name in its key."""
        return str(self.find(key) or model_name(key))

    def is_demo(self, key: str) -> bool:
        """Whether this key belongs to the demo model."""
        model = self.find(key)
        return model is not None and model.endpoint.demo

    def offered_by(self, row: int) -> int:
        """How many models are on offer from the endpoint whose record has this id."""
        return sum(model.endpoint.row == row for model in self.offered)

    async def start(self, clients: ClientPool) -> None:
        """Read the offers and request the lists. The catalog is ready when this returns. Raises django.db.Error,
        OSError. May be cancelled."""
        self._clients = clients
        await self.refresh()
        await self._fetch_lists()

    async def refresh(self) -> None:
        """Adopt what administrators have changed. Raises django.db.Error, OSError. May be cancelled."""
        if self._clients is None:
            return
        offers = self._with_learned(await in_database(load))
        if offers != self._offers:
            await self._clients.retain(offer.endpoint for offer in offers)
            self._offers = offers
            self._rebuild()

    async def list_models(self) -> None:
        """Request the lists that are old. A failed request leaves the last list in place. May be cancelled."""
        await self._fetch_lists()
        if self._clients is None:
            return
        others = [
            offer.endpoint
            for offer in self._offers
            if offer.lacks_windows and not offer.offers_all and not offer.endpoint.missing
        ]
        if await self._lists.fetch(self._clients, others, MAX_AGE_FOR_WINDOWS):
            self._rebuild()

    def learn_window(self, endpoint: Endpoint, name: str, tokens: int) -> None:
        """Adopt the context window that a refusal named, and store it for all processes. Belongs to the event loop;
        does not wait."""
        offer = next((offer for offer in self._offers if offer.endpoint == endpoint), None)
        if offer is None or not is_plausible_window(tokens) or offer.windows.get(name) == tokens:
            return
        logger.info("endpoint %s: the context window of %s is %d tokens", endpoint, name, tokens)
        self._learned[endpoint.base_url, name] = tokens
        self._offers = self._with_learned(self._offers)
        self._rebuild()
        if endpoint.row:
            self._save(learned_windows.save, endpoint.row, name, tokens)

    def _with_learned(self, offers: tuple[EndpointOffer, ...]) -> tuple[EndpointOffer, ...]:
        """Add the windows that this process learned: a read that began before one was saved lacks it."""
        if not self._learned:
            return offers
        return tuple(
            replace(offer, windows={**offer.windows, **self._learned_at(offer.endpoint.base_url)}) for offer in offers
        )

    def _learned_at(self, base_url: str) -> dict[str, int]:
        return {name: tokens for (url, name), tokens in self._learned.items() if url == base_url}

    async def _fetch_lists(self) -> None:
        if self._clients is None:
            return
        listing = [offer.endpoint for offer in self._offers if offer.offers_all and not offer.endpoint.missing]
        if await self._lists.fetch(self._clients, listing):
            self._rebuild()

    def _rebuild(self) -> None:
        models = merge(self._offers, self._lists)
        self.offered = tuple(self._preselection.mark(models, self._offers, self._lists))

    def _save_preselected(self, candidate: Candidate) -> None:
        if candidate.endpoint:
            self._save(preselection.save, candidate)

    def _save(self, write: Callable[..., None], *args: object) -> None:
        """Write to the database in a task. A failure is only logged: the process will learn it again."""
        task = asyncio.get_running_loop().create_task(_save_or_log(write, *args), name=write.__name__)
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)


async def _save_or_log(write: Callable[..., None], *args: object) -> None:
    try:
        await in_database(write, *args)
    except UNAVAILABLE as error:
        logger.info("%s was not saved: %s", write.__module__, type(error).__name__)


catalog = ModelCatalog()
