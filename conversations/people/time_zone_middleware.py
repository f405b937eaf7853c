"""Shows days and times in the person's time zone, which a script puts into a cookie."""

from collections.abc import Callable
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

COOKIE = "timezone"


@sync_and_async_middleware
def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Activate the time zone for one request. Never waits, so asynchronous requests need no thread for it."""
    if iscoroutinefunction(get_response):

        async def in_zone(request: HttpRequest) -> Any:
            _activate(request)
            return await get_response(request)

        return in_zone

    def in_zone_of_thread(request: HttpRequest) -> Any:
        _activate(request)
        return get_response(request)

    return in_zone_of_thread


def _activate(request: HttpRequest) -> None:
    """The admin keeps the server's time zone, because administrators compare generations with logs."""
    zone = None if request.path.startswith(reverse("admin:index")) else zone_named(request.COOKIES.get(COOKIE, ""))
    if zone is None:
        timezone.deactivate()
    else:
        timezone.activate(zone)


def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone; None if the name is not on the list. It comes from outside, and `ZoneInfo` would look for a
    file of that name."""
    return ZoneInfo(name) if name in _known() else None


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
