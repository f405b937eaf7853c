"""Builds INSERT statements whose columns come from the model, so that a new column needs no change of the SQL."""

from collections.abc import Mapping

from django.db import models
from django.db.models import NOT_PROVIDED
from psycopg import sql


def insert(model: type[models.Model], values: Mapping[str, str], *, where: str = "") -> str:
    """`INSERT INTO … SELECT …` for one row. `values` maps columns to SQL expressions; `where` is an SQL condition.

    Of the other columns, those that are nullable or have a default in the database are left out, and the rest get the
    default of their fields. Raises ValueError for a column without any default.
    """
    columns = {**values, **_defaults(model, values)}
    names, expressions = ", ".join(columns), ", ".join(columns.values())
    condition = f" WHERE {where}" if where else ""
    return f"INSERT INTO {model._meta.db_table} ({names}) SELECT {expressions}{condition}"  # noqa: SLF001


def _defaults(model: type[models.Model], given: Mapping[str, str]) -> dict[str, str]:
    fields = {field.column: field for field in model._meta.concrete_fields}  # noqa: SLF001
    if unknown := given.keys() - fields.keys():
        raise ValueError(f"{model.__name__} has no column {unknown}")
    return {
        column: _literal(field)
        for column, field in fields.items()
        if column not in given and not field.null and field.db_default is NOT_PROVIDED
    }


def _literal(field: "models.Field[object, object]") -> str:
    default = field.get_default()
    if default is None:
        raise ValueError(f"the column {field.column} needs a value")
    return sql.Literal(field.get_prep_value(default)).as_string(None).replace("%", "%%")
