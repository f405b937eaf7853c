"""What concerns security, as lines of the log: sign-ins, refusals, changes of accounts and endpoints. Never a password,
a key or a text; of a name only that of an account, because people type passwords into the wrong field."""

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

logger = logging.getLogger(__name__)

REFUSED = 403


def tell(event: str, *, level: int = logging.INFO, **more: str | int | None) -> None:
    """One line; what is None or empty is left out."""
    known = {name: value for name, value in more.items() if value not in (None, "")}
    said = " ".join(f"{name}={value}" for name, value in known.items())
    logger.log(level, "%s %s", event, said, extra={"fields": {"event": event, **known}})


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: AbstractBaseUser, **_kwargs: Any) -> None:
    tell("signed_in", user=user.pk, address=_address(request))


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: AbstractBaseUser | None, **_kwargs: Any) -> None:
    if user is not None:
        tell("signed_out", user=user.pk, address=_address(request))


@receiver(user_login_failed)
def sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    known = User.objects.filter(username=credentials.get("username") or "").values_list("pk", flat=True).first()
    tell("sign_in_failed", level=logging.WARNING, user=known, address=_address(request))


@sync_and_async_middleware
def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Tells of each request that was refused. It waits for nothing, so asynchronous requests need no thread for it."""
    if iscoroutinefunction(get_response):

        async def told(request: HttpRequest) -> Any:
            return _tell_refusal(request, await get_response(request))

        return told

    def told_of_thread(request: HttpRequest) -> Any:
        return _tell_refusal(request, get_response(request))

    return told_of_thread


def _tell_refusal(request: HttpRequest, response: Any) -> Any:
    """Without the query, which may hold words of a search."""
    if response.status_code == REFUSED:
        user = request.user.pk  # looked up by now, for its language
        path = request.path[:200]
        tell("refused", level=logging.WARNING, user=user, address=_address(request), method=request.method, path=path)
    return response


def _address(request: HttpRequest | None) -> str | None:
    """Of whoever is connected: behind a proxy, that of the proxy."""
    return request.META.get("REMOTE_ADDR") if request is not None else None
