"""The summary of a selection of runs, from its cells."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction

from conversations.rules.status import EndReason, Status

from .cells import Condition, Measure, Selection, Spread
from .reading import Count, Reading, TooMuch, Value
from .rollup import DAY, HOUR

PATIENCE = 2.0
"""Seconds that adding up may take."""

BY_PEOPLE = (EndReason.STOPPED, EndReason.LEFT, EndReason.SUPERSEDED, EndReason.SIGNED_OUT, EndReason.DELETED)
"""Why an answer ended that somebody no longer wanted to read."""

MILLION = 1_000_000


@dataclass(slots=True)
class Summary:
    """Times in milliseconds; None where there was nothing to measure."""

    since: datetime | None = None
    until: datetime | None = None
    step: timedelta = DAY
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    over_time: dict[datetime, dict[str, int]] = field(default_factory=dict)
    stop: Spread = field(default_factory=Spread)
    first_token: Spread = field(default_factory=Spread)
    share: Spread = field(default_factory=Spread)
    """Per cent of the answer that was there when somebody did not want more of it."""
    tokens_in: int = 0
    tokens_out: int = 0
    spent: dict[str, Decimal] = field(default_factory=dict)
    """Money by currency."""
    not_spent_tokens: int = 0
    not_spent: dict[str, Decimal] = field(default_factory=dict)
    compared: int = 0
    """Runs that did not come to their end, and are shorter than their model's usual answers."""
    not_compared: int = 0
    """The others that did not: nothing says how long they would have become."""

    @property
    def runs(self) -> int:
        return sum(self.statuses.values())


def summary(selection: Selection) -> Summary:
    """Add it up, from at most `PATIENCE` seconds of the database's time. Raises TooMuch."""
    with transaction.atomic(), connection.cursor() as cursor:
        return _read(Reading(cursor, PATIENCE), selection)


def _read(reading: Reading, selection: Selection) -> Summary:
    first, last = reading.extent
    if first is None or last is None:
        return Summary(selection.since, selection.until)
    begin, end = max(first, selection.since or first), min(last, selection.until or last)
    found = Summary(selection.since, selection.until, HOUR if end - begin <= DAY else DAY)
    for count in reading.counts(selection, found.step):
        _count(found, count)
    usual = _usual(reading, selection) if found.statuses.get(Status.INTERRUPTED) else {}
    for value in reading.values(selection) if found.statuses else ():
        if value.measure == Measure.LENGTH:
            _compare(found, value, usual)
        else:
            spread = found.stop if value.measure == Measure.STOP else found.first_token
            spread.add(value.bucket, value.runs, value.total)
    return found


def _usual(reading: Reading, selection: Selection) -> dict[str, float]:
    """The median length of each model's complete answers in the period, whatever else the selection asks for."""
    models = tuple(each for each in selection.conditions if each.column in ("model", "endpoint"))
    spreads: dict[str, Spread] = defaultdict(Spread)
    for model, bucket, runs, total in reading.lengths(Selection(selection.since, selection.until, models)):
        spreads[model].add(bucket, runs, total)
    return {model: spread.percentile(50) or 0.0 for model, spread in spreads.items()}


def _count(found: Summary, count: Count) -> None:
    if count.at is not None:
        found.over_time.setdefault(count.at, {})[count.status] = count.runs
        return
    found.statuses[count.status] = found.statuses.get(count.status, 0) + count.runs
    if count.reason:
        found.reasons[count.reason] = found.reasons.get(count.reason, 0) + count.runs
    found.tokens_in += count.tokens_in or 0
    found.tokens_out += count.tokens_out or 0
    if count.cost is not None:
        currency = count.currency or ""
        found.spent[currency] = found.spent.get(currency, Decimal(0)) + count.cost


def _compare(found: Summary, value: Value, usual: dict[str, float]) -> None:
    """What was not written, had these answers become as long as the model's usually do. Of a longer one nothing is
    known."""
    if value.status != Status.INTERRUPTED:
        return
    whole = usual.get(value.model or "", 0.0)
    length = value.total / value.runs
    if length >= whole:
        found.not_compared += value.runs
        return
    found.compared += value.runs
    if value.reason in BY_PEOPLE:
        percent = 100 * length / whole
        found.share.add(round(percent * 10), value.runs, percent * value.runs)
    missing = round((whole - length) * value.runs)
    found.not_spent_tokens += missing
    if value.price_out is not None:
        currency = value.currency or ""
        found.not_spent[currency] = found.not_spent.get(currency, Decimal(0)) + value.price_out * missing / MILLION


__all__ = ["Condition", "Selection", "Summary", "TooMuch", "summary"]
