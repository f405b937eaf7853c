"""Preselects a model for people who have not chosen one.

As long as no administrator has added a model, it is the best one that an endpoint lists. That choice is stored and
remains while the model is offered, whatever else endpoints list later.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from conversations import models
from conversations.models.language_model import model_key
from conversations.providers import model_list

from .endpoint_offers import EndpointOffer
from .list_cache import ModelLists
from .offered_model import Model


@dataclass(frozen=True, slots=True)
class Candidate:
    """A listed model: the id of its endpoint's record (0 without one), and its key."""

    endpoint: int
    key: str


def default(offered: Sequence[Model]) -> Model | None:
    """The model to preselect; None if none is offered.

    The administrator's default comes first, then the model that was preselected before. Next is the first one in the
    administrators' order; if several share the first place, the one that was added first, so that a new model changes
    nothing. The last resort is the best of those that are only listed.
    """
    added = sorted((model for model in offered if not model.listed), key=lambda model: (model.order, model.age))
    candidates = [
        *(model for model in offered if model.default),
        *(model for model in offered if model.preselected),
        *added,
        *(model for model in offered if model.recommended),
        *offered,
    ]
    return next(iter(candidates), None)


class Preselection:
    """Remembers which listed model was preselected first. Belongs to the event loop."""

    def __init__(self, save: Callable[[Candidate], None]) -> None:
        """`save` stores a first choice for all processes, without waiting for it."""
        self._save = save
        self._key = ""  # for as long as the database has none that is offered

    def mark(self, models: Sequence[Model], offers: Sequence[EndpointOffer], lists: ModelLists) -> Iterator[Model]:
        """The same models, with `preselected` and `recommended` set."""
        best = _best_listed(offers, lists)
        keys = {offer.preselected for offer in offers if offer.preselected}
        if not any(model.key in keys for model in models):
            if best is not None and not self._key and all(model.listed for model in models):
                self._key = best.key
                self._save(best)
            keys = {self._key}
        for model in models:
            yield replace(model, preselected=model.key in keys, recommended=best is not None and model.key == best.key)


def _best_listed(offers: Sequence[EndpointOffer], lists: ModelLists) -> Candidate | None:
    """The best listed model of the oldest endpoint that has a suitable one."""
    for offer in offers:
        if offer.offers_all:
            shown = [listed for listed in lists.get(offer.endpoint) if listed.name not in offer.hidden]
            if (best := model_list.preferred(shown)) is not None:
                return Candidate(offer.endpoint.row, model_key(offer.endpoint.prefix, best.name))
    return None


def save(candidate: Candidate) -> None:
    """Store the first choice, unless some endpoint already has one. Runs on a database thread."""
    if not models.Endpoint.objects.exclude(usual="").exists():
        models.Endpoint.objects.filter(pk=candidate.endpoint).update(usual=candidate.key)
