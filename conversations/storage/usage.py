"""Saves what an answer and its title used and cost."""

import uuid

from django.db import transaction

from conversations.models import Generation, UsageSource
from conversations.rules.status import Status


@transaction.atomic
def store(generation: uuid.UUID, tokens_in: int, tokens_out: int) -> None:
    """The first count stays, with what it cost at the price that the answer began with; to it comes what its title
    took. `tokens_out`: of the text alone; what was thought was counted while it came."""
    ended = Generation.objects.exclude(status=Status.STREAMING)
    run = ended.select_for_update(of=("self",)).filter(pk=generation, usage_final=False).first()
    if run is None:
        return
    run.tokens_in = tokens_in + (run.title_tokens_in or 0)
    run.tokens_out = tokens_out + run.thought_tokens + (run.title_tokens_out or 0)
    run.usage_source, run.usage_final, run.cost = UsageSource.ESTIMATED, True, run.price()
    run.save(update_fields=["tokens_in", "tokens_out", "usage_source", "usage_final", "cost"])


@transaction.atomic
def store_title(generation: uuid.UUID, tokens_in: int, tokens_out: int, *, estimated: bool) -> None:
    """What the request for a title took is part of what the answer took after which it was asked for: so it is in every
    sum. It is kept apart, too, as the answer's own figures are shown under it."""
    run = Generation.objects.select_for_update(of=("self",)).filter(pk=generation, title_tokens_in=None).first()
    if run is None:
        return
    run.title_tokens_in, run.title_tokens_out = tokens_in, tokens_out
    run.tokens_in, run.tokens_out = (run.tokens_in or 0) + tokens_in, (run.tokens_out or 0) + tokens_out
    run.cost = run.price()
    if estimated:
        run.usage_source = UsageSource.ESTIMATED
    run.save(update_fields=["title_tokens_in", "title_tokens_out", "tokens_in", "tokens_out", "usage_source", "cost"])
