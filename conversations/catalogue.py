"""Which models are offered, to whom, and where each is reached: in memory, so that a send asks the database nothing.

The administrator's rows say it. Before an administrator said anything, the environment does (`first_endpoint`). An
endpoint that offers all it lists is asked for its list now and then.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group

from . import endpoints, models
from .chunks import ProviderError
from .database import in_database
from .endpoints import Endpoint
from .providers import Providers

logger = logging.getLogger(__name__)

FRESH = 60.0
"""Seconds for which a list of an endpoint is taken as it is."""

RETRY = 5.0
"""Seconds that an endpoint may take to list its models, and after which one that did not is asked again."""

EVERY = 1.0
"""Seconds between two looks at what administrators decided. The doorbell, if any, is quicker."""


Address = tuple[str, str]
"""Base URL and key: what a list depends on."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model as the picker shows it. `key` is what conversations and frames call it."""

    key: str
    label: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model on offer. `name` is the provider's word for it; prices are per million tokens."""

    key: str
    name: str
    endpoint: Endpoint
    label: str = ""
    order: int = 0
    default: bool = False
    price_in: Decimal | None = None
    price_out: Decimal | None = None
    currency: str = ""
    context_window: int | None = None
    continues_by: str = models.ContinuesBy.INSTRUCTION
    system_prompt: str = ""
    groups: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return self.label or self.name


@dataclass(frozen=True, slots=True)
class Shelf:
    """One endpoint and what of it is decided: its models, whether all others it lists are offered, and which not."""

    endpoint: Endpoint
    models: tuple[Model, ...] = ()
    lists: bool = False
    hidden: frozenset[str] = frozenset()


class Catalogue:
    """`offered` and `choices` may be used from any thread; the rest belongs to the event loop."""

    def __init__(self) -> None:
        self.offered: tuple[Model, ...] = ()
        self._providers: Providers | None = None
        self._shelves: tuple[Shelf, ...] = ()
        self._listed: dict[Address, tuple[str, ...]] = {}
        self._due: dict[Address, float] = {}
        self._windows: dict[tuple[str, str], int] = {}

    def choices(self, user: AbstractBaseUser | AnonymousUser) -> list[Choice]:
        """What this person may choose from, in the order of the picker; one of them is the default."""
        offered = allowed(self.offered, user)
        usual = default(offered)
        return [Choice(model.key, str(model), default=model is usual) for model in offered]

    def find(self, key: str) -> Model | None:
        return next((model for model in self.offered if model.key == key), None)

    def keys_of_others(self, endpoint: str) -> set[str]:
        """What the models of all endpoints but this one are called, those included that are only listed."""
        return {model.key for model in self.offered if str(model.endpoint) != endpoint}

    def label(self, key: str) -> str:
        """What people see of a model; its key where it is not offered any more."""
        return str(self.find(key) or key)

    def is_demo(self, key: str) -> bool:
        model = self.find(key)
        return model is not None and model.endpoint.demo

    async def start(self, providers: Providers) -> None:
        """Ready when it returns, with what the endpoints list at once. Raises django.db.Error, OSError."""
        self._providers = providers
        await self.refresh()
        await self.list_models()

    async def refresh(self) -> None:
        """Take over what administrators decided meanwhile. Raises django.db.Error, OSError."""
        if self._providers is None:
            return
        shelves = await in_database(load)
        if shelves != self._shelves:
            await self._providers.provide(shelf.endpoint for shelf in shelves)
            self._shelves = shelves
            self._offer()

    async def list_models(self) -> None:
        """Ask the endpoints that offer all they list, where the list is old. One that cannot be had leaves the last."""
        now = time.monotonic()
        asked = [s.endpoint for s in self._shelves if s.lists and not s.endpoint.missing]
        due = [endpoint for endpoint in asked if now >= self._due.get(_address(endpoint), 0.0)]
        if due:
            await asyncio.gather(*(self._list(endpoint) for endpoint in due))
            self._offer()

    async def _list(self, endpoint: Endpoint) -> None:
        assert self._providers is not None
        address = _address(endpoint)
        self._due[address] = time.monotonic() + RETRY
        try:
            async with asyncio.timeout(RETRY):
                listed = await self._providers.of(endpoint).models()
        except (ProviderError, TimeoutError) as error:
            logger.warning("endpoint %s did not list its models: %s", endpoint, error or type(error).__name__)
            return
        self._listed[address] = tuple(sorted(set(listed)))
        self._due[address] = time.monotonic() + FRESH

    def learn_window(self, endpoint: Endpoint, name: str, tokens: int) -> None:
        """A refusal said how long the model's context is; from now on no more is sent."""
        self._windows[str(endpoint), name] = tokens
        self._offer()

    def _offer(self) -> None:
        found = (self._with_window(model) for model in _on(self._shelves, self._listed))
        self.offered = tuple(sorted(found, key=_place))

    def _with_window(self, model: Model) -> Model:
        learnt = self._windows.get((str(model.endpoint), model.name))
        known = [tokens for tokens in (learnt, model.context_window) if tokens is not None]
        return replace(model, context_window=min(known)) if learnt is not None else model


def allowed(offered: Sequence[Model], user: AbstractBaseUser | AnonymousUser) -> list[Model]:
    """Those that this person may use. Asks the database only where groups matter."""
    if not any(model.groups for model in offered):
        return list(offered)
    mine = set(Group.objects.filter(user=user.pk).values_list("pk", flat=True))
    return [model for model in offered if not model.groups or model.groups & mine]


def default(offered: Sequence[Model]) -> Model | None:
    """The administrator's default, else the first."""
    return next((model for model in offered if model.default), offered[0] if offered else None)


def load() -> tuple[Shelf, ...]:
    """What is decided, on a database thread. Equal when nothing changed."""
    rows = models.Endpoint.objects.prefetch_related("models__groups").order_by("pk")
    shelves = [_of_row(row) for row in rows if row.enabled and not row.follows_environment]
    if not rows or any(row.follows_environment for row in rows):
        shelves.append(_of_environment())
    return tuple(shelves)


def _of_environment() -> Shelf:
    endpoint = endpoints.of_environment()
    named = tuple(
        Model(name, name, endpoint, order=place, continues_by=settings.CHAT_CONTINUE)
        for place, name in enumerate(settings.CHAT_MODELS)
    )
    return Shelf(endpoint, named, lists=not named)


def _of_row(row: models.Endpoint) -> Shelf:
    endpoint = endpoints.of_row(row)
    known = list(row.models.all())
    shown = tuple(_model(each, endpoint) for each in known if each.enabled)
    return Shelf(endpoint, shown, row.offers_all, frozenset(each.name for each in known))


def _model(row: models.LanguageModel, endpoint: Endpoint) -> Model:
    return Model(
        key=row.key,
        name=row.name,
        endpoint=endpoint,
        label=row.label,
        order=row.order,
        default=row.default,
        price_in=row.price_in,
        price_out=row.price_out,
        currency=row.currency,
        context_window=row.context_window,
        continues_by=row.continues_by,
        system_prompt=row.system_prompt,
        groups=frozenset(group.pk for group in row.groups.all()),
    )


def _on(shelves: Iterable[Shelf], listed: dict[Address, tuple[str, ...]]) -> Iterator[Model]:
    """The models of all shelves, no two with the same key: those with rows come first and keep theirs."""
    taken: set[str] = set()
    for model in (model for shelf in shelves for model in shelf.models):
        if model.key not in taken:
            taken.add(model.key)
            yield model
    for shelf in shelves:
        for name in listed.get(_address(shelf.endpoint), ()) if shelf.lists else ():
            key = name if name not in taken else f"{shelf.endpoint}/{name}"
            if name not in shelf.hidden and key not in taken:
                taken.add(key)
                yield Model(key, name, shelf.endpoint, continues_by=settings.CHAT_CONTINUE)


def _address(endpoint: Endpoint) -> Address:
    return endpoint.base_url, endpoint.key


def _place(model: Model) -> tuple[int, str, str]:
    return model.order, str(model), model.key


catalogue = Catalogue()
