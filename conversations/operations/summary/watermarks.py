"""Watermarks: the times up to which cells exist."""

from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from .periods import START_OF_TIME

LOCK = 0x5E771ED
"""Key of the advisory lock on cells and watermarks: exclusive to write them, shared to read them."""


@dataclass(slots=True)
class Watermarks:
    """Cells of each span exist up to these times: months ≤ days ≤ hours."""

    months: datetime = START_OF_TIME
    days: datetime = START_OF_TIME
    hours: datetime = START_OF_TIME


def read_watermarks(cursor: CursorWrapper) -> Watermarks:
    """The stored watermarks; `START_OF_TIME` throughout before the first roll-up. The caller holds the lock."""
    cursor.execute("SELECT months_until, days_until, hours_until FROM conversations_summarystate")
    row = cursor.fetchone()
    return Watermarks(*row) if row else Watermarks()
