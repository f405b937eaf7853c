"""The record that the end of a generation writes, and what comes back from writing it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .status import EndReason, Status


@dataclass(slots=True)
class Ending:
    """Everything that the end of a generation writes. Times are aware datetimes; None means that it never happened.

    `text` is the whole message, `characters` counts what this generation wrote of it. `stopped_by` is the id of the
    user who stopped it.
    """

    generation: uuid.UUID
    status: Status
    reason: EndReason
    text: str
    characters: int
    code: str = ""
    detail: str = ""
    retry_after: int | None = None
    opened_at: datetime | None = None
    first_token_at: datetime | None = None
    stop_requested_at: datetime | None = None
    stop_origin: str = ""
    stopped_by: int | None = None
    upstream_closed_at: datetime | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    thought_tokens: int = 0
    usage_source: str = ""
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The stored end of a generation, after an attempt to write one. `won` is False if another end was stored first."""

    won: bool
    status: Status
    reason: str
    text: str
