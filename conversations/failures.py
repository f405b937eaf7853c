"""The page for a fault of our own: one for a database that is away, which passes, and one for all else."""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

logger = logging.getLogger(__name__)

AGAIN = 5
"""Seconds after which it is worth asking again (`Retry-After`)."""

AWAY = ("08", "57P", "53300")
"""How PostgreSQL's codes begin (its manual, appendix A) for a connection that failed, a server that stops or starts, or
that takes no more connections. Without a code it has not answered at all. A query that was cancelled, or fell victim to
a deadlock, is an `OperationalError`, too, and none of these."""


def failed(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: called while the exception is being handled."""
    error = sys.exc_info()[1]
    if not is_away(error):
        return server_error(request)
    logger.warning("no page for %s: the database is away: %s", request.path, type(error).__name__)
    page = render_to_string("503.html", {"again": AGAIN if request.method == "GET" else 0})
    response = HttpResponse(page, status=503, headers={"Retry-After": str(AGAIN), "Cache-Control": "no-store"})
    response.__dict__["_has_been_logged"] = True  # Django's mark: the line above says all that its traceback would
    return response


def is_away(error: BaseException | None) -> bool:
    """Whether it says that the database cannot be reached."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlstate", None)
    return code is None or code.startswith(AWAY)
