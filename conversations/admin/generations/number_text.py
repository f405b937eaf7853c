"""Numbers of the summary as localized text."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.formats import number_format

from conversations.operations.summary.histogram import Histogram


def whole(number: float) -> str:
    return number_format(round(number), 0, use_l10n=True, force_grouping=True)


def percent(part: int, total: int) -> str:
    """A share of a total, with one decimal near 0 and 100 %."""
    share = 100 * part / total
    return f"{number_format(share, 1 if 0 < share < 10 or 90 < share < 100 else 0)} %"


def duration(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{number_format(milliseconds, 0)} ms"
    return f"{number_format(milliseconds / 1000, 2 if milliseconds < 10_000 else 1)} s"


def percentiles(spread: Histogram, percents: Iterable[int]) -> list[tuple[str, str]]:
    if not spread.count:
        return []
    return [(f"p{each}", duration(spread.percentile(each) or 0.0)) for each in percents]


def money(amounts: dict[str, Decimal]) -> list[str]:
    """Amounts by currency; small ones with four decimals, because a thousand tokens cost a fraction of a cent."""
    return [
        f"{number_format(amount, 2 if amount >= 1 or not amount else 4, force_grouping=True)} {currency}".strip()
        for currency, amount in sorted(amounts.items())
    ]
