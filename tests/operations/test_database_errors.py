"""Which database errors mean that the database is unavailable; tests/faults/test_database_outage.py checks the page
that people then see."""

import psycopg
import pytest
from django.db import IntegrityError, OperationalError
from psycopg import errors

from conversations.web.error_pages import is_database_unavailable


def caused_by(cause):
    error = OperationalError("told by Django")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.OperationalError("no server"),
        errors.AdminShutdown(),
        errors.CannotConnectNow(),
        errors.TooManyConnections(),
        errors.LockNotAvailable(),
    ],
)
def test_is_database_unavailable(cause):
    assert is_database_unavailable(caused_by(cause))


@pytest.mark.parametrize(
    "error",
    [caused_by(errors.QueryCanceled()), caused_by(errors.DeadlockDetected()), IntegrityError(), ValueError(), None],
)
def test_other_database_errors_are_bugs(error):
    assert not is_database_unavailable(error)
