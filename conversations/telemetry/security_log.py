"""Security events as lines of the log: sign-ins, refusals, changes of accounts and endpoints.

A line never contains a password, a key or somebody's text. Accounts appear by their ids, never by the name that was
typed, because people type passwords into the wrong field.
"""

import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

logger = logging.getLogger("conversations.security")

MAX_PATH = 200
"""Characters of a request's path that are logged."""


def log_event(event: str, *, level: int = logging.INFO, **fields: str | int | None) -> None:
    """Log one line. Fields that are None or empty are left out. May be called from any thread."""
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    words = " ".join(f"{name}={value}" for name, value in given.items())
    logger.log(level, "%s %s", event, words, extra={"fields": {"event": event, **given}})


@receiver(user_logged_in)
def log_sign_in(request: HttpRequest, user: AbstractBaseUser, **_kwargs: Any) -> None:
    log_event("signed_in", user=user.pk, address=_address(request))


@receiver(user_logged_out)
def log_sign_out(request: HttpRequest, user: AbstractBaseUser | None, **_kwargs: Any) -> None:
    if user is not None:
        log_event("signed_out", user=user.pk, address=_address(request))


@receiver(user_login_failed)
def log_failed_sign_in(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    known = User.objects.filter(username=credentials.get("username") or "").values_list("pk", flat=True).first()
    log_event("sign_in_failed", level=logging.WARNING, user=known, address=_address(request))


@sync_and_async_middleware
def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Log each response with status 403. Does not wait, so an asynchronous request needs no thread for it."""
    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> Any:
            return _log_refusal(request, await get_response(request))

        return respond_async

    def respond(request: HttpRequest) -> Any:
        return _log_refusal(request, get_response(request))

    return respond


def _log_refusal(request: HttpRequest, response: Any) -> Any:
    """Log the path without its query, which may contain the words of a search."""
    if response.status_code == 403:
        log_event(
            "refused",
            level=logging.WARNING,
            user=request.user.pk,  # already loaded to determine the language
            address=_address(request),
            method=request.method,
            path=request.path[:MAX_PATH],
        )
    return response


def _address(request: HttpRequest | None) -> str | None:
    """The address of the peer: behind a proxy, that of the proxy."""
    return request.META.get("REMOTE_ADDR") if request is not None else None
