"""Generations as CSV, streamed in bounded memory. The text of prompts and answers is not included."""

import csv
import io
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from conversations.storage.db_threads import in_database
from conversations.storage.request_connections import release

from .timeline import milliseconds

logger = logging.getLogger(__name__)

BATCH_SIZE = 1000
"""Rows of one query. With many short queries a slow download holds neither a connection nor a transaction."""

COLUMNS = [
    "id",
    "requested_at",
    "requested_by__username",
    "conversation_id",
    "kind",
    "endpoint",
    "model",
    "status",
    "end_reason",
    "error_code",
    "detail",
    "opened_at",
    "first_token_at",
    "stop_requested_at",
    "stop_origin",
    "stopped_by__username",
    "upstream_closed_at",
    "ended_at",
    "characters",
    "tokens_in",
    "tokens_out",
    "usage_source",
    "price_in",
    "price_out",
    "cost",
    "currency",
    "turns_dropped",
    "reviewed_at",
    "reviewed_by__username",
    "review_note",
]
INTERVALS = [
    ("first_token_ms", "requested_at", "first_token_at"),
    ("stop_to_closed_ms", "stop_requested_at", "upstream_closed_at"),
]
HEADER = [name.replace("__username", "") for name in COLUMNS] + [name for name, _begin, _end in INTERVALS]
FORMULA_PREFIXES = tuple("=+-@\t\r\n＝＋－＠")
"""A spreadsheet takes a cell that begins like this for a formula, and people choose their own names. Some programs
also accept the full-width signs."""


async def csv_lines(queryset: QuerySet[Any]) -> AsyncIterator[bytes]:
    """The file as UTF-8, newest generation first. May be cancelled at any time.

    Generations that begin meanwhile are not included; those deleted meanwhile may be missing.
    """
    await release()  # it was used for the list and the audit entry
    yield _text([HEADER])
    rows = queryset.order_by("-requested_at", "-pk").values_list(*COLUMNS)
    last: tuple[Any, ...] | None = None
    while True:
        last, text = await in_database(_batch, rows, last)
        if text:
            yield text
        if last is None:
            return


def _batch(rows: QuerySet[Any, Any], last: tuple[Any, ...] | None) -> tuple[tuple[Any, ...] | None, bytes]:
    """(last row, or None if there are no more; the text) of the rows after `last`."""
    if last is not None:
        key, at = last[0], last[1]
        rows = rows.filter(Q(requested_at__lt=at) | Q(requested_at=at, pk__lt=key), requested_at__lte=at)
    found = list(rows[:BATCH_SIZE])
    return found[-1] if len(found) == BATCH_SIZE else None, _text([_cells(row) for row in found]) if found else b""


def _cells(row: tuple[Any, ...]) -> list[Any]:
    at = dict(zip(COLUMNS, row, strict=True))
    return [_cell(value) for value in row] + [milliseconds(at[begin], at[end]) for _name, begin, end in INTERVALS]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str) and value.startswith(FORMULA_PREFIXES):
        return f"'{value}"
    return value


def _text(rows: list[list[Any]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()
