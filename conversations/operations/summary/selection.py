"""The selection of generations that a summary covers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Condition:
    """`column` has one of these values."""

    column: str
    values: tuple[Any, ...]

    def sql(self, table: str, parameter: str) -> str:
        """The condition on cells (`table` is "c") or on rows ("g"); it takes the values as `parameter`."""
        is_row_review = table == "g" and self.column == "reviewed"
        column = "(g.reviewed_at IS NOT NULL)" if is_row_review else f"{table}.{self.column}"
        return f"{column} = ANY(%({parameter})s)"


@dataclass(frozen=True, slots=True)
class Selection:
    """Generations requested from `since` to before `until` that meet all conditions.

    Both times are midnights of UTC, or None for no limit. `rows` is a query for generation ids (SQL, parameters) that
    narrows the selection by what cells do not store; such a selection is read from rows.
    """

    since: datetime | None = None
    until: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    rows: tuple[str, tuple[Any, ...]] | None = None

    def parameters(self) -> dict[str, Any]:
        """Parameters of `sql`, by name."""
        return {f"c{number}": list(each.values) for number, each in enumerate(self.conditions)}

    def sql(self, table: str) -> str:
        """The conditions, to append to a WHERE clause."""
        return "".join(f" AND {each.sql(table, f'c{number}')}" for number, each in enumerate(self.conditions))
