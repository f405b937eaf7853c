"""Which models are offered, to whom, and where each is reached: in memory, so that a send asks the database nothing.

The administrator's rows say it. Before an administrator said anything, the environment does (`first_endpoint`). An
endpoint that offers all it lists is asked for its list now and then.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group

from conversations import models
from conversations.models.language_model import model_key, model_name
from conversations.storage.db_threads import AWAY, in_database

from . import endpoints, learned, model_list_format
from .client_pool import Providers
from .endpoints import Endpoint
from .model_list_cache import FRESH, SELDOM, Lists

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at what administrators decided. The notifier, if any, is quicker."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model as the picker shows it. `key` is what conversations and frames call it."""

    key: str
    label: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model on offer. `name` is the provider's word for it; prices are per million tokens.

    `listed`: the endpoint lists it, and no administrator has said anything about it. `usual`: it was preselected before
    anybody decided, and stays so. `next_best`: of those that are only listed, the one to begin with.
    """

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
    listed: bool = False
    usual: bool = False
    next_best: bool = False
    age: int = 0

    def __str__(self) -> str:
        return self.label or self.name


@dataclass(frozen=True, slots=True)
class Shelf:
    """One endpoint and what of it is decided: its models, whether all others it lists are offered, and which not; the
    key of the listed model that is preselected; and the context windows that its refusals named, by name."""

    endpoint: Endpoint
    models: tuple[Model, ...] = ()
    lists: bool = False
    hidden: frozenset[str] = frozenset()
    usual: str = ""
    windows: Mapping[str, int] = field(default_factory=dict)

    @property
    def asks_for_windows(self) -> bool:
        """A model's context window is not known here, and the endpoint may know it."""
        return not self.endpoint.demo and any(model.context_window is None for model in self.models)


@dataclass(frozen=True, slots=True)
class Best:
    """The listed model to begin with: the record of its endpoint, and its key."""

    row: int
    key: str


class ModelCatalog:
    """`offered` and `choices` may be used from any thread; the rest belongs to the event loop."""

    def __init__(self) -> None:
        self.offered: tuple[Model, ...] = ()
        self._providers: Providers | None = None
        self._shelves: tuple[Shelf, ...] = ()
        self._lists = Lists()
        self._usual = ""  # where the database has none that is offered
        self._saving: set[asyncio.Task[None]] = set()
        self._named: dict[tuple[str, str], int] = {}  # tokens, by an endpoint's address and its name of a model

    def choices(self, user: AbstractBaseUser | AnonymousUser) -> list[Choice]:
        """What this person may choose from, in the order of the picker; one of them is the default."""
        offered = allowed(self.offered, user)
        usual = default(offered)
        twice = {label for label, count in Counter(map(str, offered)).items() if count > 1}
        return [Choice(model.key, _label(model, twice), default=model is usual) for model in offered]

    def find(self, key: str) -> Model | None:
        return next((model for model in self.offered if model.key == key), None)

    def label(self, key: str) -> str:
        """What people see of a model; the name in its key where it is not offered any more."""
        return str(self.find(key) or model_name(key))

    def is_demo(self, key: str) -> bool:
        model = self.find(key)
        return model is not None and model.endpoint.demo

    def offered_by(self, row: int) -> int:
        """How many models people may choose of the endpoint with this record."""
        return sum(model.endpoint.row == row for model in self.offered)

    async def start(self, providers: Providers) -> None:
        """Ready when it returns, with what the endpoints list at once. Raises django.db.Error, OSError."""
        self._providers = providers
        await self.refresh()
        await self._ask_for_offers()

    async def refresh(self) -> None:
        """Take over what administrators decided meanwhile. Raises django.db.Error, OSError."""
        if self._providers is None:
            return
        shelves = self._with_named(await in_database(load))
        if shelves != self._shelves:
            await self._providers.provide(shelf.endpoint for shelf in shelves)
            self._shelves = shelves
            self._offer()

    async def list_models(self) -> None:
        """Ask the endpoints whose list is old. One that cannot be had leaves the last."""
        await self._ask_for_offers()
        if self._providers is not None:
            rest = [s.endpoint for s in self._shelves if s.asks_for_windows and not s.lists and not s.endpoint.missing]
            if await self._lists.ask(self._providers, rest, SELDOM):
                self._offer()

    def learn_window(self, endpoint: Endpoint, name: str, tokens: int) -> None:
        """A refusal of the provider named the model's context window, in tokens. From now on no more is sent, soon in
        all processes."""
        shelf = next((s for s in self._shelves if s.endpoint == endpoint), None)
        if shelf is None or not model_list_format.believable(tokens) or shelf.windows.get(name) == tokens:
            return
        logger.info("endpoint %s: the context window of %s is %d tokens", shelf.endpoint, name, tokens)
        self._named[shelf.endpoint.base_url, name] = tokens
        self._shelves = self._with_named(self._shelves)
        self._offer()
        if shelf.endpoint.row:
            self._save(learned.keep, shelf.endpoint.row, name, tokens)

    def _with_named(self, shelves: tuple[Shelf, ...]) -> tuple[Shelf, ...]:
        """With the windows that refusals named to this process: a look at the database that began before one was saved
        does not know it."""
        if not self._named:
            return shelves
        return tuple(replace(shelf, windows={**shelf.windows, **self._named_by(shelf)}) for shelf in shelves)

    def _named_by(self, shelf: Shelf) -> dict[str, int]:
        address = shelf.endpoint.base_url
        return {name: tokens for (url, name), tokens in self._named.items() if url == address}

    async def _ask_for_offers(self) -> None:
        if self._providers is not None:
            lists = [s.endpoint for s in self._shelves if s.lists and not s.endpoint.missing]
            if await self._lists.ask(self._providers, lists, FRESH):
                self._offer()

    def _offer(self) -> None:
        offered = sorted(_on(self._shelves, self._lists), key=_place)
        self.offered = tuple(self._with_usual(offered))

    def _with_usual(self, offered: list[Model]) -> Iterator[Model]:
        """What is usual stays so while it is offered, whatever else endpoints come to list and administrators add."""
        best = self._next_best()
        kept = {shelf.usual for shelf in self._shelves if shelf.usual}
        if not any(model.key in kept for model in offered):
            if best is not None and not self._usual and all(model.listed for model in offered):
                self._usual = best.key
                self._keep_usual(best)
            kept = {self._usual}
        for model in offered:
            yield replace(model, usual=model.key in kept, next_best=best is not None and model.key == best.key)

    def _next_best(self) -> Best | None:
        """Of the oldest endpoint that lists one that is fit for it."""
        for shelf in self._shelves:
            shown = [m for m in self._lists.of(shelf.endpoint) if shelf.lists and m.name not in shelf.hidden]
            found = model_list_format.preferred(shown)
            if found is not None:
                return Best(shelf.endpoint.row, model_key(shelf.endpoint.prefix, found.name))
        return None

    def _keep_usual(self, best: Best) -> None:
        if best.row:
            self._save(learned.keep_usual, best.row, best.key)

    def _save(self, write: Callable[..., None], *args: object) -> None:
        """Into the database, whenever that is possible; what is lost is found out again."""
        task = asyncio.get_running_loop().create_task(_in_time(write, *args), name=write.__name__)
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)


async def _in_time(write: Callable[..., None], *args: object) -> None:
    try:
        await in_database(write, *args)
    except AWAY as error:
        logger.info("%s was not saved: %s", write.__name__, type(error).__name__)


def allowed(offered: Sequence[Model], user: AbstractBaseUser | AnonymousUser) -> list[Model]:
    """Those that this person may use. Asks the database only where groups matter."""
    if not any(model.groups for model in offered):
        return list(offered)
    mine = set(Group.objects.filter(user=user.pk).values_list("pk", flat=True))
    return [model for model in offered if not model.groups or model.groups & mine]


def default(offered: Sequence[Model]) -> Model | None:
    """The administrator's default; else the usual one; else the first by the order that administrators gave, and of
    several the one that they added first, so that a new one changes nothing; else the best of what is only listed."""
    decided = sorted((m for m in offered if not m.listed), key=lambda m: (m.order, m.age))
    chosen = [m for m in offered if m.default] + [m for m in offered if m.usual] + decided
    chosen += [m for m in offered if m.next_best]
    return next(iter([*chosen, *offered]), None)


def load() -> tuple[Shelf, ...]:
    """What is decided, on a database thread, the oldest endpoint first. Equal when nothing changed."""
    rows = models.Endpoint.objects.prefetch_related("models__groups").order_by("pk")
    shelves = [_of_row(row) for row in rows if row.enabled and not row.follows_environment]
    following = next((row for row in rows if row.follows_environment), None)
    if not rows or following is not None:
        shelves.append(_of_environment(following))
    return tuple(sorted(shelves, key=lambda shelf: shelf.endpoint.row))


def _of_environment(row: models.Endpoint | None) -> Shelf:
    """As this process's own environment says it; `row` is what stands in the database about it."""
    endpoint = replace(endpoints.of_environment(), row=row.pk if row is not None else 0)
    named = tuple(
        Model(model_key("", name), name, endpoint, order=place, continues_by=settings.CHAT_CONTINUE)
        for place, name in enumerate(settings.CHAT_MODELS)
    )
    if row is None:
        return Shelf(endpoint, named, lists=not named)
    return Shelf(endpoint, named, lists=not named, usual=row.usual, windows=learned.windows(row))


def _of_row(row: models.Endpoint) -> Shelf:
    endpoint = endpoints.of_row(row)
    known = list(row.models.all())
    shown = tuple(_model(each, endpoint) for each in known if each.enabled)
    hidden = frozenset(each.name for each in known)
    return Shelf(endpoint, shown, row.offers_all, hidden, row.usual, learned.windows(row))


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
        age=row.pk,
    )


def _on(shelves: Iterable[Shelf], lists: Lists) -> Iterator[Model]:
    """The models of all shelves, no two with the same key: those with rows come first and keep theirs."""
    taken: set[str] = set()
    for model in (*_decided(shelves, lists), *_only_listed(shelves, lists)):
        if model.key not in taken:
            taken.add(model.key)
            yield model


def _decided(shelves: Iterable[Shelf], lists: Lists) -> Iterator[Model]:
    """A refusal that named a smaller window than the administrator gave is believed."""
    for shelf in shelves:
        listed = _windows(shelf, lists)
        for model in shelf.models:
            given, refused = model.context_window, shelf.windows.get(model.name)
            known = listed.get(model.name) if given is None else min(given, refused or given)
            yield replace(model, context_window=known)


def _only_listed(shelves: Iterable[Shelf], lists: Lists) -> Iterator[Model]:
    for shelf in (shelf for shelf in shelves if shelf.lists):
        windows = _windows(shelf, lists)
        for each in lists.of(shelf.endpoint):
            if each.chats and each.name not in shelf.hidden:
                key = model_key(shelf.endpoint.prefix, each.name)
                window = windows.get(each.name)
                yield Model(
                    key,
                    each.name,
                    shelf.endpoint,
                    context_window=window,
                    continues_by=settings.CHAT_CONTINUE,
                    listed=True,
                )


def _windows(shelf: Shelf, lists: Lists) -> dict[str, int]:
    """Context windows by name: what the list says, unless a refusal named a smaller one."""
    said = {each.name: each.window for each in lists.of(shelf.endpoint) if each.window is not None}
    return {
        name: min(window for window in (said.get(name), shelf.windows.get(name)) if window is not None)
        for name in said.keys() | shelf.windows.keys()
    }


def _label(model: Model, twice: Collection[str]) -> str:
    """With its endpoint, where another one on offer is called the same."""
    return f"{model} ({model.endpoint})" if str(model) in twice else str(model)


def _place(model: Model) -> tuple[int, str, str]:
    return model.order, str(model), model.key


catalog = ModelCatalog()
