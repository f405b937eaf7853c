"""Saves how many tokens an answer and its title used, and what they cost. Runs on a database thread."""

import uuid

from django.db import transaction

from conversations.models import Generation, UsageSource
from conversations.rules.status import Status


@transaction.atomic
def store_answer(generation: uuid.UUID, tokens_in: int, tokens_out: int) -> None:
    """Store the counted tokens and their cost at the prices of the generation's start, unless its usage is final.

    `tokens_out` counts the text alone: tokens of thinking were counted as they arrived. The tokens of the title are
    added.
    """
    ended = Generation.objects.exclude(status=Status.STREAMING)
    found = ended.select_for_update(of=("self",)).filter(pk=generation, usage_final=False).first()
    if found is None:
        return
    found.tokens_in = tokens_in + (found.title_tokens_in or 0)
    found.tokens_out = tokens_out + found.thought_tokens + (found.title_tokens_out or 0)
    found.usage_source, found.usage_final, found.cost = UsageSource.ESTIMATED, True, found.price()
    found.save(update_fields=["tokens_in", "tokens_out", "usage_source", "usage_final", "cost"])


@transaction.atomic
def store_title(generation: uuid.UUID, tokens_in: int, tokens_out: int, *, estimated: bool) -> None:
    """Add the tokens of the request for a title to the answer after which it was made, so that every sum includes
    them. They are also stored separately, because the figures below an answer exclude them."""
    found = Generation.objects.select_for_update(of=("self",)).filter(pk=generation, title_tokens_in=None).first()
    if found is None:
        return
    found.title_tokens_in, found.title_tokens_out = tokens_in, tokens_out
    found.tokens_in, found.tokens_out = (found.tokens_in or 0) + tokens_in, (found.tokens_out or 0) + tokens_out
    found.cost = found.price()
    if estimated:
        found.usage_source = UsageSource.ESTIMATED
    found.save(update_fields=["title_tokens_in", "title_tokens_out", "tokens_in", "tokens_out", "usage_source", "cost"])
