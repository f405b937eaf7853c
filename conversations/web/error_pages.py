"""The pages for what cannot be answered: requests that are refused, and faults of our own, where a database that is
away has a page for itself, because it passes.

None of them reads the form that was sent, as Django's own do: a form that cannot be read is what brought the request
here, and to read it once more would raise again, out of Django and into the server.
"""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

logger = logging.getLogger(__name__)
proxies = logging.getLogger("chatapp.security.upgrade")

AGAIN = 5
"""Seconds after which it is worth asking again (`Retry-After`)."""

AWAY = ("08", "57P", "53300", "55P03")
"""How PostgreSQL's codes begin (its manual, appendix A) for a connection that failed, a server that stops or starts, or
that takes no more connections, or for a lock that somebody else held for too long. Without a code it has not answered
at all. A query that was cancelled, or fell victim to a deadlock, is an `OperationalError`, too, and none of these."""


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`. Without the request: a wrong host or form may be what is wrong with it."""
    return HttpResponse(render_to_string("400.html"), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler403`."""
    return HttpResponse(render_to_string("403.html", request=request), status=403)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`."""
    return HttpResponse(render_to_string("404.html", request=request), status=404)


@csrf_exempt
def not_upgraded(request: HttpRequest) -> HttpResponse:
    """Somebody asked for the socket as for a page: nearly always a proxy that does not pass on the wish for one."""
    proxies.warning(
        "/ws/ was asked for without an upgrade: a proxy has to use HTTP/1.1 and pass on Upgrade and Connection"
    )
    return HttpResponse(
        status=426, headers={"Upgrade": "websocket", "Connection": "Upgrade", "Cache-Control": "no-store"}
    )


def failed(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: called while the exception is being handled."""
    error = sys.exc_info()[1]
    if not is_away(error):
        return HttpResponse(render_to_string("500.html"), status=500)
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
