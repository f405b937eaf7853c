"""A person's preferences, overridden by those that the administrator set for everybody."""

from collections.abc import Collection, Iterable
from copy import copy

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from conversations.models import Preferences, Theme

THEME_COOKIE = "theme"
"""Name of the cookie that keeps the chosen theme for pages without a signed-in person."""

FIXED_BY = {"when_leaving": "CHAT_WHEN_LEAVING", "theme": "CHAT_THEME", "language": "CHAT_LANGUAGE"}
"""Maps a field to the setting with which an administrator overrides it for everybody."""


def fixed() -> dict[str, str]:
    """Return the fields that the administrator set for everybody, with their values."""
    return {field: value for field, name in FIXED_BY.items() if (value := getattr(settings, name))}


def chosen(user: AbstractBaseUser | AnonymousUser) -> Preferences:
    """Return what the person chose, or unsaved defaults. Ignores what the administrator set; see `effective`."""
    try:
        preferences: Preferences = user.preferences  # type: ignore[union-attr]
    except (Preferences.DoesNotExist, AttributeError):
        return Preferences(user_id=user.pk)  # type: ignore[misc]  # must not be saved if nobody is signed in
    return preferences


def effective(user: AbstractBaseUser | AnonymousUser) -> Preferences:
    """Return the preferences that apply to this person, with what the administrator set. A copy: must not be saved."""
    preferences = copy(chosen(user))
    for field, value in fixed().items():
        setattr(preferences, field, value)
    return preferences


def first_offered(keys: Iterable[str], offered: Collection[str]) -> str:
    """Return the first of these model keys that is offered; "" if none is."""
    return next((key for key in keys if key in offered), "")


def model_for_new_chats(user: AbstractBaseUser | AnonymousUser, offered: Collection[str]) -> str:
    """Return the key of the model the person chose in the settings, else chose last; "" for the default model."""
    chosen = effective(user)
    return first_offered((chosen.default_model, chosen.last_model), offered)


def remember_model(user: int, key: str) -> None:
    """Store the key of the model that this person last chose instead of the preselected one."""
    Preferences.objects.update_or_create(user_id=user, defaults={"last_model": key})


def theme_of(request: HttpRequest) -> str:
    """Return the chosen theme, "light" or "dark"; "" to follow the system."""
    theme = effective(request.user).theme
    if not request.user.is_authenticated and "theme" not in fixed():
        theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in (Theme.LIGHT, Theme.DARK) else ""


def context_processor(request: HttpRequest) -> dict[str, object]:
    """Add theme and preferences to every template. An error page may be rendered before `request.user` is known."""
    if not hasattr(request, "user"):
        return {}
    return {"theme": theme_of(request), "preferences": effective(request.user)}
