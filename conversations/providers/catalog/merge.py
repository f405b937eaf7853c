"""Merges the offers of all endpoints, and the lists of models that endpoints give, into one list of models."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.conf import settings

from conversations.models.language_model import model_key

from .endpoint_offers import EndpointOffer
from .list_cache import ModelLists
from .offered_model import Model


def merge(offers: Iterable[EndpointOffer], lists: ModelLists) -> list[Model]:
    """All models on offer in the picker's order, each key once. If two have the same key, the one with a row is kept
    and the one that is only listed is dropped."""
    models: dict[str, Model] = {}
    for model in (*_added(offers, lists), *_only_listed(offers, lists)):
        models.setdefault(model.key, model)
    return sorted(models.values(), key=lambda model: (model.order, str(model), model.key))


def _added(offers: Iterable[EndpointOffer], lists: ModelLists) -> Iterator[Model]:
    """The models that have rows. If a refusal named a smaller window than the administrator, the refusal counts."""
    for offer in offers:
        windows = _windows(offer, lists)
        for model in offer.models:
            given, refused = model.context_window, offer.windows.get(model.name)
            window = windows.get(model.name) if given is None else min(given, refused or given)
            yield replace(model, context_window=window)


def _only_listed(offers: Iterable[EndpointOffer], lists: ModelLists) -> Iterator[Model]:
    """The models without rows, of the endpoints that offer all they list."""
    for offer in offers:
        if not offer.offers_all:
            continue
        windows = _windows(offer, lists)
        for listed in lists.get(offer.endpoint):
            if listed.chats and listed.name not in offer.hidden:
                yield Model(
                    model_key(offer.endpoint.prefix, listed.name),
                    listed.name,
                    offer.endpoint,
                    context_window=windows.get(listed.name),
                    continues_by=settings.CHAT_CONTINUE,
                    listed=True,
                )


def _windows(offer: EndpointOffer, lists: ModelLists) -> dict[str, int]:
    """Context windows in tokens, by name: the smaller one of the list's and of what a refusal named."""
    windows = {listed.name: listed.window for listed in lists.get(offer.endpoint) if listed.window is not None}
    for name, refused in offer.windows.items():
        windows[name] = min(refused, windows.get(name, refused))
    return windows
