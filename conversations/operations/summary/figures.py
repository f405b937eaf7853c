"""The figures of the summary, computed from the cells of a selection."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction

from conversations.rules.status import EndReason, Status

from .cell_reader import CellReader, CountRow, ValueRow
from .cells import Measure
from .histogram import Histogram
from .periods import DAY, HOUR
from .selection import Selection

SUMMARY_TIMEOUT = 2.0
"""Seconds that the queries of one summary may take."""

STOPPED_BY_PEOPLE = (
    EndReason.STOPPED,
    EndReason.LEFT,
    EndReason.SUPERSEDED,
    EndReason.SIGNED_OUT,
    EndReason.DELETED,
)
"""Reasons that mean somebody no longer wanted to read the answer."""

MILLION = 1_000_000


@dataclass(slots=True)
class Summary:
    """The figures. Durations are in milliseconds; a histogram is empty where nothing was measured."""

    since: datetime | None = None
    until: datetime | None = None
    step: timedelta = DAY
    """Step of `over_time`: an hour or a day."""
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    over_time: dict[datetime, dict[str, int]] = field(default_factory=dict)
    """Generations by time and status."""
    stop: Histogram = field(default_factory=Histogram)
    first_token: Histogram = field(default_factory=Histogram)
    share: Histogram = field(default_factory=Histogram)
    """Percent of the usual answer that was written when somebody stopped."""
    tokens_in: int = 0
    tokens_out: int = 0
    spent: dict[str, Decimal] = field(default_factory=dict)
    """Money by currency."""
    not_spent_tokens: int = 0
    not_spent: dict[str, Decimal] = field(default_factory=dict)
    """Money by currency."""
    compared: int = 0
    """Interrupted generations that are shorter than their model's median complete answer."""
    not_compared: int = 0
    """The other interrupted generations: how long they would have become is unknown."""

    @property
    def count(self) -> int:
        """The number of generations."""
        return sum(self.statuses.values())


def summarize(selection: Selection) -> Summary:
    """The figures of a selection. Synchronous, in a transaction of its own.

    Its queries take up to `SUMMARY_TIMEOUT` seconds; raises SummaryTimeout.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        return _summarize(CellReader(cursor, SUMMARY_TIMEOUT), selection)


def _summarize(reader: CellReader, selection: Selection) -> Summary:
    first, last = reader.extent
    if first is None or last is None:
        return Summary(selection.since, selection.until)
    begin, end = max(first, selection.since or first), min(last, selection.until or last)
    summary = Summary(selection.since, selection.until, HOUR if end - begin <= DAY else DAY)
    for row in reader.counts(selection, summary.step):
        _add_count(summary, row)
    if summary.statuses:
        _add_values(summary, reader, selection)
    return summary


def _add_values(summary: Summary, reader: CellReader, selection: Selection) -> None:
    medians = _median_lengths(reader, selection) if summary.statuses.get(Status.INTERRUPTED) else {}
    for row in reader.values(selection):
        if row.measure == Measure.LENGTH:
            _add_unwritten(summary, row, medians)
        else:
            histogram = summary.stop if row.measure == Measure.STOP else summary.first_token
            histogram.add(row.bucket, row.count, row.total)


def _median_lengths(reader: CellReader, selection: Selection) -> dict[str, float]:
    """Median tokens of each model's complete answers in the period, regardless of the selection's other conditions."""
    models = tuple(each for each in selection.conditions if each.column in ("model", "endpoint"))
    histograms: dict[str, Histogram] = defaultdict(Histogram)
    for model, bucket, count, tokens in reader.complete_lengths(Selection(selection.since, selection.until, models)):
        histograms[model].add(bucket, count, tokens)
    return {model: histogram.percentile(50) or 0.0 for model, histogram in histograms.items()}


def _add_count(summary: Summary, row: CountRow) -> None:
    if row.at is not None:
        summary.over_time.setdefault(row.at, {})[row.status] = row.count
        return
    summary.statuses[row.status] = summary.statuses.get(row.status, 0) + row.count
    if row.reason:
        summary.reasons[row.reason] = summary.reasons.get(row.reason, 0) + row.count
    summary.tokens_in += row.tokens_in or 0
    summary.tokens_out += row.tokens_out or 0
    if row.cost is not None:
        _add_money(summary.spent, row.currency, row.cost)


def _add_unwritten(summary: Summary, row: ValueRow, medians: dict[str, float]) -> None:
    """Add what interrupted answers would have cost at their model's median length. Longer ones cannot be compared."""
    if row.status != Status.INTERRUPTED:
        return
    median = medians.get(row.model or "", 0.0)
    length = row.total / row.count
    if length >= median:
        summary.not_compared += row.count
        return
    summary.compared += row.count
    if row.reason in STOPPED_BY_PEOPLE:
        percent = 100 * length / median
        summary.share.add(round(percent * 10), row.count, percent * row.count)
    missing = round((median - length) * row.count)
    summary.not_spent_tokens += missing
    if row.price_out is not None:
        _add_money(summary.not_spent, row.currency, row.price_out * missing / MILLION)


def _add_money(amounts: dict[str, Decimal], currency: str | None, amount: Decimal) -> None:
    amounts[currency or ""] = amounts.get(currency or "", Decimal(0)) + amount
