"""Reads what administrators offer of each endpoint from the database. Runs on a database thread.

Until an administrator changes it, the first endpoint follows the environment of each process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings

from conversations import models
from conversations.models.language_model import model_key
from conversations.providers import endpoints
from conversations.providers.endpoints import Endpoint

from . import learned_windows
from .offered_model import Model


@dataclass(frozen=True, slots=True)
class EndpointOffer:
    """What one endpoint offers.

    `models` are always offered. With `offers_all`, so is every other model that the endpoint lists, except those in
    `hidden` (names). `preselected` is the key of the listed model that was preselected first, or "". `windows` are the
    context windows in tokens, by name, that the provider's refusals gave.
    """

    endpoint: Endpoint
    models: tuple[Model, ...] = ()
    offers_all: bool = False
    hidden: frozenset[str] = frozenset()
    preselected: str = ""
    windows: Mapping[str, int] = field(default_factory=dict)

    @property
    def lacks_windows(self) -> bool:
        """Whether the endpoint's list may name a context window that is unknown."""
        return not self.endpoint.demo and any(model.context_window is None for model in self.models)


def load() -> tuple[EndpointOffer, ...]:
    """The offers of all endpoints, the oldest endpoint first. Two results are equal if nothing changed between them."""
    rows = models.Endpoint.objects.prefetch_related("models__groups").order_by("pk")
    offers = [_from_row(row) for row in rows if row.enabled and not row.follows_environment]
    following = next((row for row in rows if row.follows_environment), None)
    if not rows or following is not None:
        offers.append(_from_environment(following))
    return tuple(sorted(offers, key=lambda offer: offer.endpoint.row))


def _from_environment(row: models.Endpoint | None) -> EndpointOffer:
    """The offer of this process's own environment. `row` is the endpoint's record, if there is one."""
    endpoint = replace(endpoints.from_environment(), row=row.pk if row is not None else 0)
    named = tuple(
        Model(model_key("", name), name, endpoint, order=place, continues_by=settings.CHAT_CONTINUE)
        for place, name in enumerate(settings.CHAT_MODELS)
    )
    offer = EndpointOffer(endpoint, named, offers_all=not named)
    if row is None:
        return offer
    return replace(offer, preselected=row.usual, windows=learned_windows.windows(row))


def _from_row(row: models.Endpoint) -> EndpointOffer:
    endpoint = endpoints.from_row(row)
    known = list(row.models.all())
    return EndpointOffer(
        endpoint=endpoint,
        models=tuple(_model(each, endpoint) for each in known if each.enabled),
        offers_all=row.offers_all,
        hidden=frozenset(each.name for each in known),
        preselected=row.usual,
        windows=learned_windows.windows(row),
    )


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
