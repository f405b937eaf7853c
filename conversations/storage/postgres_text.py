"""Makes values from outside storable: PostgreSQL refuses no row because of a value that was passed through here."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

MAX_INTEGER = 2**31 - 1
"""The largest value of an `integer` column."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Replaces one character, so that positions in a text do not shift."""

_REFUSED = re.compile("[\0\ud800-\udfff]")


def text(given: object, max_length: int | None = None) -> str:
    """`given` as text of at most `max_length` characters, without NUL and lone surrogates: neither `text` nor `jsonb`
    accepts them."""
    return _REFUSED.sub(REPLACEMENT, given if isinstance(given, str) else str(given))[:max_length]


def whole(given: object) -> int | None:
    """A count, or None if it is not an integer that fits into the column."""
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= MAX_INTEGER:
        return None
    return given


def amount(given: object, below: int, places: int) -> Decimal | None:
    """A sum of money rounded to `places` decimals, or None if it is not a number smaller than `below`."""
    if not isinstance(given, Decimal) or not given.is_finite() or abs(given) >= below:
        return None
    try:
        rounded = round(given, places)
    except InvalidOperation:
        return None
    return rounded if abs(rounded) < below else None


def moment(given: object) -> datetime | None:
    """An aware time in UTC, or None if it is not one that both Python and PostgreSQL can represent."""
    if not isinstance(given, datetime) or given.tzinfo is None:
        return None
    try:
        return given.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
