"""What PostgreSQL takes of values that came from outside: nothing that leaves through here can make it refuse a row."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

MOST = 2**31 - 1
"""The largest number of an `integer` column."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""One character for one, so that positions in a text stay what they are."""

_REFUSED = re.compile("[\0\ud800-\udfff]")


def text(given: object, most: int | None = None) -> str:
    """Without NUL and lone surrogates, which neither `text` nor `jsonb` takes, and not longer than `most`."""
    return _REFUSED.sub(REPLACEMENT, given if isinstance(given, str) else str(given))[:most]


def whole(given: object) -> int | None:
    """A count, or None where it is no number that fits."""
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= MOST:
        return None
    return given


def amount(given: object, below: int, places: int) -> Decimal | None:
    """A sum of money, or None where it does not fit into so many places before and behind the point."""
    if not isinstance(given, Decimal) or not given.is_finite() or abs(given) >= below:
        return None
    try:
        rounded = round(given, places)
    except InvalidOperation:
        return None
    return rounded if abs(rounded) < below else None


def moment(given: object) -> datetime | None:
    """An aware time in UTC, or None where it is none that both sides can write down."""
    if not isinstance(given, datetime) or given.tzinfo is None:
        return None
    try:
        return given.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
