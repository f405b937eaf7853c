"""The summary as the template shows it: figures, bars for an SVG, and tables."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from conversations.operations.summary.figures import Summary
from conversations.operations.summary.periods import DAY, HOUR
from conversations.rules.status import EndReason

from .bar_chart import MAX_BARS, MIN_WIDTH, STATUS_ORDER, fill_columns, make_bar
from .number_text import money, percent, percentiles, whole


@dataclass(frozen=True, slots=True)
class ReasonRow:
    label: str
    status: str
    status_label: str
    count: str
    percent: str
    width: str


class Overview:
    """What the template shows. `too_much`: there are no figures because the summary timed out."""

    def __init__(self, summary: Summary | None) -> None:
        self.too_much = summary is None
        self.summary = summary or Summary()

    @property
    def count(self) -> int:
        return self.summary.count

    @property
    def total(self) -> str:
        return whole(self.count)

    @property
    def period(self) -> str:
        found = self.summary
        since = found.since or min(found.over_time, default=None)
        until = (found.until - DAY) if found.until else None
        if since is None:
            return _("All generations")
        first, last = date_format(since, "DATE_FORMAT"), date_format(until, "DATE_FORMAT") if until else ""
        if not last:
            return _("Generations since %(first)s") % {"first": first}
        if first == last:
            return _("Generations on %(day)s") % {"day": first}
        return _("Generations from %(first)s to %(last)s") % {"first": first, "last": last}

    @property
    def outcomes(self) -> list[dict[str, str]]:
        return [
            {
                "status": status.value,
                "label": str(status.label),
                "count": whole(self.summary.statuses[status]),
                "percent": percent(self.summary.statuses[status], self.count),
            }
            for status in STATUS_ORDER
            if self.summary.statuses.get(status)
        ]

    @property
    def stop(self) -> list[tuple[str, str]]:
        return percentiles(self.summary.stop, (50, 95, 99))

    @property
    def stops(self) -> str:
        return whole(self.summary.stop.count)

    @property
    def first_token(self) -> list[tuple[str, str]]:
        return percentiles(self.summary.first_token, (50, 95))

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
        return money(self.summary.spent)

    @property
    def not_spent_tokens(self) -> str:
        return f"≈ {whole(self.summary.not_spent_tokens)}" if self.summary.compared else ""

    @property
    def not_spent(self) -> list[str]:
        return [f"≈ {money}" for money in money(self.summary.not_spent)]

    @property
    def not_compared(self) -> int:
        return self.summary.not_compared

    @property
    def step(self) -> str:
        return {"hour": _("by hour"), "day": _("by day"), "week": _("by week"), "month": _("by month")}[self._step()]

    @property
    def chart(self) -> dict[str, Any]:
        """The bars, and the labels around them."""
        step = self._step()
        columns = fill_columns(self.summary.over_time, step)
        highest = max((sum(counts.values()) for counts in columns.values()), default=0)
        bars = [make_bar(number, at, counts, highest, step) for number, (at, counts) in enumerate(columns.items())]
        ends = [bar.label for bar in (bars[0], bars[-1])] if len(bars) > 1 else [bar.label for bar in bars]
        return {"bars": bars, "width": max(len(bars), MIN_WIDTH), "highest": whole(highest), "ends": ends}

    @property
    def reasons(self) -> list[ReasonRow]:
        """Generations by reason, the most frequent first, without those that finished."""
        found = {EndReason(name): count for name, count in self.summary.reasons.items() if name != EndReason.FINISHED}
        highest = max(found.values(), default=1)
        return [
            ReasonRow(
                label=str(reason.label),
                status=reason.status.value,
                status_label=str(reason.status.label),
                count=whole(count),
                percent=percent(count, self.count),
                width=f"{100 * count / highest:.2f}",
            )
            for reason, count in sorted(found.items(), key=lambda item: (-item[1], item[0].value))
        ]

    @property
    def statuses(self) -> list[str]:
        return [str(status.label) for status in STATUS_ORDER]

    def _step(self) -> str:
        if self.summary.step == HOUR:
            return "hour"
        times = self.summary.over_time
        days = (max(times) - min(times)).days if times else 0
        if days <= MAX_BARS:
            return "day"
        return "week" if days <= MAX_BARS * 7 else "month"
