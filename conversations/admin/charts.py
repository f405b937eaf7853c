"""A summary in the words and shapes of a page: figures, bars as SVG, and the tables behind them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from conversations.operations.summary.cells import Spread
from conversations.operations.summary.figures import Summary
from conversations.operations.summary.rollup import DAY, HOUR
from conversations.rules.status import EndReason, Status

MOST_BARS = 92
FEWEST_BARS = 14
"""A single day is no bar as wide as the page."""

LABELS = {"hour": "DATETIME_FORMAT", "month": "YEAR_MONTH_FORMAT"}

ORDER = (Status.COMPLETE, Status.INTERRUPTED, Status.ERROR, Status.STREAMING)


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: `x` counts columns, heights are per cent of the highest; all are ready to be written."""

    label: str
    said: str
    counts: list[str]
    parts: list[dict[str, str]]
    x: str


@dataclass(frozen=True, slots=True)
class ReasonRow:
    label: str
    status: str
    status_label: str
    runs: str
    percent: str
    width: str


class Overview:
    """What the template shows. `too_much`: there are no figures, because adding up took too long."""

    def __init__(self, summary: Summary | None) -> None:
        self.too_much = summary is None
        self.summary = summary or Summary()

    @property
    def runs(self) -> int:
        return self.summary.runs

    @property
    def total(self) -> str:
        return whole(self.runs)

    @property
    def period(self) -> str:
        found = self.summary
        since = found.since or min(found.over_time, default=None)
        until = (found.until - DAY) if found.until else None
        if since is None:
            return _("All runs")
        first, last = date_format(since, "DATE_FORMAT"), date_format(until, "DATE_FORMAT") if until else ""
        if not last:
            return _("Runs since %(first)s") % {"first": first}
        if first == last:
            return _("Runs of %(day)s") % {"day": first}
        return _("Runs from %(first)s to %(last)s") % {"first": first, "last": last}

    @property
    def outcomes(self) -> list[dict[str, str]]:
        return [
            {
                "status": status.value,
                "label": str(status.label),
                "runs": whole(self.summary.statuses[status]),
                "percent": percent(self.summary.statuses[status], self.runs),
            }
            for status in ORDER
            if self.summary.statuses.get(status)
        ]

    @property
    def stop(self) -> list[tuple[str, str]]:
        return _percentiles(self.summary.stop, (50, 95, 99))

    @property
    def stops(self) -> str:
        return whole(self.summary.stop.count)

    @property
    def first_token(self) -> list[tuple[str, str]]:
        return _percentiles(self.summary.first_token, (50, 95))

    @property
    def share(self) -> str:
        median = self.summary.share.percentile(50)
        return "" if median is None else f"≈ {number_format(round(median))} %"

    @property
    def tokens_in(self) -> str:
        return whole(self.summary.tokens_in)

    @property
    def tokens_out(self) -> str:
        return whole(self.summary.tokens_out)

    @property
    def spent(self) -> list[str]:
        return _money(self.summary.spent)

    @property
    def not_spent_tokens(self) -> str:
        return f"≈ {whole(self.summary.not_spent_tokens)}" if self.summary.compared else ""

    @property
    def not_spent(self) -> list[str]:
        return [f"≈ {money}" for money in _money(self.summary.not_spent)]

    @property
    def not_compared(self) -> int:
        return self.summary.not_compared

    @property
    def step(self) -> str:
        return {"hour": _("by hour"), "day": _("by day"), "week": _("by week"), "month": _("by month")}[self._step()]

    @property
    def chart(self) -> dict[str, Any]:
        """The bars, and what stands around them."""
        step = self._step()
        columns = _filled(self.summary.over_time, step)
        highest = max((sum(counts.values()) for counts in columns.values()), default=0)
        bars = [_bar(number, at, counts, highest, step) for number, (at, counts) in enumerate(columns.items())]
        ends = [bar.label for bar in (bars[0], bars[-1])] if len(bars) > 1 else [bar.label for bar in bars]
        return {"bars": bars, "width": max(len(bars), FEWEST_BARS), "highest": whole(highest), "ends": ends}

    @property
    def reasons(self) -> list[ReasonRow]:
        """All but the usual end, the most frequent first."""
        found = {EndReason(name): runs for name, runs in self.summary.reasons.items() if name != EndReason.FINISHED}
        most = max(found.values(), default=1)
        return [
            ReasonRow(
                label=str(reason.label),
                status=reason.status.value,
                status_label=str(reason.status.label),
                runs=whole(runs),
                percent=percent(runs, self.runs),
                width=f"{100 * runs / most:.2f}",
            )
            for reason, runs in sorted(found.items(), key=lambda item: (-item[1], item[0].value))
        ]

    @property
    def statuses(self) -> list[str]:
        return [str(status.label) for status in ORDER]

    def _step(self) -> str:
        if self.summary.step == HOUR:
            return "hour"
        times = self.summary.over_time
        days = (max(times) - min(times)).days if times else 0
        if days <= MOST_BARS:
            return "day"
        return "week" if days <= MOST_BARS * 7 else "month"


def whole(number: float) -> str:
    return number_format(round(number), 0, use_l10n=True, force_grouping=True)


def percent(part: int, total: int) -> str:
    """Of few runs as a whole number; small parts never as nothing."""
    share = 100 * part / total
    return f"{number_format(share, 1 if 0 < share < 10 or 90 < share < 100 else 0)} %"


def duration(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{number_format(milliseconds, 0)} ms"
    return f"{number_format(milliseconds / 1000, 2 if milliseconds < 10_000 else 1)} s"


def _percentiles(spread: Spread, percents: Iterable[int]) -> list[tuple[str, str]]:
    if not spread.count:
        return []
    return [(f"p{each}", duration(spread.percentile(each) or 0.0)) for each in percents]


def _money(amounts: dict[str, Decimal]) -> list[str]:
    """Small sums with more digits, because a thousand tokens cost a fraction of a cent."""
    return [
        f"{number_format(amount, 2 if amount >= 1 or not amount else 4, force_grouping=True)} {currency}".strip()
        for currency, amount in sorted(amounts.items())
    ]


def _begin(at: datetime, step: str) -> datetime:
    if step == "week":
        return at - timedelta(days=at.weekday())
    return at.replace(day=1) if step == "month" else at


def _next(at: datetime, step: str) -> datetime:
    if step == "month":
        return (at + timedelta(days=31)).replace(day=1)
    return at + {"hour": HOUR, "day": DAY, "week": 7 * DAY}[step]


def _filled(times: dict[datetime, dict[str, int]], step: str) -> dict[datetime, dict[str, int]]:
    """Runs by status of each hour, day, week or month from the first to the last, also where there was none."""
    columns: dict[datetime, dict[str, int]] = {}
    if times:
        at, last = _begin(min(times), step), max(times)
        while at <= last:
            columns[at] = {}
            at = _next(at, step)
    for each, counts in times.items():
        column = columns[_begin(each, step)]
        for status, runs in counts.items():
            column[status] = column.get(status, 0) + runs
    return columns


def _bar(number: int, at: datetime, counts: dict[str, int], highest: int, step: str) -> Bar:
    parts, top = [], 100.0
    for status in ORDER:
        height = 100 * counts.get(status, 0) / highest
        top -= height
        if height:
            parts.append({"status": status.value, "y": f"{top:.3f}", "height": f"{height:.3f}"})
    return Bar(
        label=date_format(at, LABELS.get(step, "DATE_FORMAT")),
        said=", ".join(f"{whole(counts[status])} {status.label}" for status in ORDER if counts.get(status)) or "0",
        counts=[whole(counts.get(status, 0)) for status in ORDER],
        parts=parts,
        x=f"{number + 0.08:.2f}",
    )
