"""The pages for requests that fail: rejected ones, errors of the server, and an unavailable database, which has a page
of its own because it is temporary.

Unlike Django's own, none of them reads the submitted form. The error may be that the form cannot be read, and reading
it again would raise again, out of Django and into the server.
"""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

logger = logging.getLogger(__name__)
upgrade_logger = logging.getLogger("chatapp.security.upgrade")

RETRY_AFTER = 5
"""Seconds until another try makes sense, for the header `Retry-After`."""

UNAVAILABLE_CODES = ("08", "57P", "53300", "55P03")
"""Beginnings of PostgreSQL's error codes (its manual, appendix A) for a connection that failed, a server that starts or
stops, too many connections, and a lock that was held for too long. An error without a code means that the server has
not answered. Other kinds of `OperationalError`, such as a cancelled query or a deadlock, are not among them."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`. Renders without the request, whose host or form may be the fault."""
    return HttpResponse(render_to_string("400.html"), status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler403`."""
    return HttpResponse(render_to_string("403.html", request=request), status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`."""
    return HttpResponse(render_to_string("404.html", request=request), status=404)


@csrf_exempt
def upgrade_required(request: HttpRequest) -> HttpResponse:
    """A plain request for the socket's address. Nearly always a proxy has dropped the upgrade headers."""
    upgrade_logger.warning(
        "/ws/ was asked for without an upgrade: a proxy has to use HTTP/1.1 and pass on Upgrade and Connection"
    )
    return HttpResponse(
        status=426, headers={"Upgrade": "websocket", "Connection": "Upgrade", "Cache-Control": "no-store"}
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`, which Django calls while it handles the exception."""
    error = sys.exc_info()[1]
    if not is_database_unavailable(error):
        return HttpResponse(render_to_string("500.html"), status=500)
    logger.warning("no page for %s: the database is away: %s", request.path, type(error).__name__)
    page = render_to_string("503.html", {"can_reload": request.method == "GET"})
    response = HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"})
    response.__dict__["_has_been_logged"] = True  # Django's own mark: without it, Django would also log the traceback
    return response


def is_database_unavailable(error: BaseException | None) -> bool:
    """Whether the error means that the database cannot be reached."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlstate", None)
    return code is None or code.startswith(UNAVAILABLE_CODES)
