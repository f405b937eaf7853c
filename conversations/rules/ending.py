"""What is written when a generation ends, and how it then stands."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .status import EndReason, Status


@dataclass(slots=True)
class Ending:
    """What the terminal transition writes. Times are aware datetimes or None."""

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
    """How a generation stands after an attempt to end it. `won` is False where somebody else had ended it before."""

    won: bool
    status: Status
    reason: str
    text: str
