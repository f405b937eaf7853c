"""What a person chose in the settings, under what the administrator fixed for everybody."""

from collections.abc import Collection, Iterable
from copy import copy

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from conversations.models import Preferences, Theme

THEME_COOKIE = "theme"
"""Keeps the pages of somebody who is signed out in the colours they chose."""

FIXED_BY = {"when_leaving": "CHAT_WHEN_LEAVING", "theme": "CHAT_THEME", "language": "CHAT_LANGUAGE"}
"""Fields, and the settings by which an administrator takes the choice away."""


def fixed() -> dict[str, str]:
    """Field → value, of what nobody may choose here."""
    return {field: value for field, name in FIXED_BY.items() if (value := getattr(settings, name))}


def chosen(user: AbstractBaseUser | AnonymousUser) -> Preferences:
    """What the person chose, or the defaults; not yet what counts."""
    try:
        preferences: Preferences = user.preferences  # type: ignore[union-attr]
    except (Preferences.DoesNotExist, AttributeError):
        return Preferences(user_id=user.pk)  # type: ignore[misc]  # without a person, not to be saved
    return preferences


def effective(user: AbstractBaseUser | AnonymousUser) -> Preferences:
    """What counts for this person: their own choice, or what is fixed. Not to be saved."""
    preferences = copy(chosen(user))
    for field, value in fixed().items():
        setattr(preferences, field, value)
    return preferences


def first_offered(keys: Iterable[str], offered: Collection[str]) -> str:
    """The first of the models that somebody chose which is still offered; "" if none is."""
    return next((key for key in keys if key in offered), "")


def model_for_new_chats(user: AbstractBaseUser | AnonymousUser, offered: Collection[str]) -> str:
    """What the person chose for that in the settings, else what they chose last; "" where the default counts."""
    chosen = effective(user)
    return first_offered((chosen.default_model, chosen.last_model), offered)


def remember_model(user: int, key: str) -> None:
    """The last one that this person chose instead of what was preselected."""
    Preferences.objects.update_or_create(user_id=user, defaults={"last_model": key})


def theme_of(request: HttpRequest) -> str:
    """The colours that were chosen, "light" or "dark"; "" where they are the system's."""
    theme = effective(request.user).theme
    if not request.user.is_authenticated and "theme" not in fixed():
        theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in (Theme.LIGHT, Theme.DARK) else ""


def context_processor(request: HttpRequest) -> dict[str, object]:
    """For every template. An error page may come before anybody knows who asks."""
    if not hasattr(request, "user"):
        return {}
    return {"theme": theme_of(request), "preferences": effective(request.user)}
