"""Makes an ending storable, whatever the provider sent."""

from dataclasses import replace

from conversations.models import UsageSource
from conversations.rules.ending_record import Ending
from conversations.rules.stop_request import StopOrigin

from . import postgres_text


def storable_ending(ending: Ending) -> Ending:
    """The ending without any value that a column could refuse."""
    return replace(
        ending,
        status=ending.reason.status,
        text=postgres_text.text(ending.text),
        characters=postgres_text.whole(ending.characters) or 0,
        code=postgres_text.text(ending.code, 40),
        detail=postgres_text.text(ending.detail, 500),
        retry_after=postgres_text.whole(ending.retry_after),
        opened_at=postgres_text.moment(ending.opened_at),
        first_token_at=postgres_text.moment(ending.first_token_at),
        stop_requested_at=postgres_text.moment(ending.stop_requested_at),
        stop_origin=ending.stop_origin if ending.stop_origin in StopOrigin.values else "",
        stopped_by=postgres_text.whole(ending.stopped_by),
        upstream_closed_at=postgres_text.moment(ending.upstream_closed_at),
        tokens_in=postgres_text.whole(ending.tokens_in),
        tokens_out=postgres_text.whole(ending.tokens_out),
        usage_source=ending.usage_source if ending.usage_source in UsageSource.values else "",
        cost=postgres_text.amount(ending.cost, 10**8, 8),
    )


def bare(ending: Ending) -> Ending:
    """Only what has to be stored in any case: how the generation ended, and its text."""
    return Ending(ending.generation, ending.status, ending.reason, ending.text, ending.characters)
