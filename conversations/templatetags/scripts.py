"""The page's scripts by name: `static/js/chat/composer.js` is known to the others as `chat/composer`."""

from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.templatetags.static import static

register = template.Library()

FOLDERS = ("chat", "net", "shell")


@register.simple_tag
def modules() -> dict[str, str]:
    """Name → address. The browser fetches all at once: waiting for each to name the next costs a round trip a level."""
    return {name: static(f"js/{name}.js") for name in _names()}


@cache
def _names() -> list[str]:
    folders = [Path(folder, "js", name) for folder in settings.STATICFILES_DIRS for name in FOLDERS]
    return sorted(f"{folder.name}/{path.stem}" for folder in folders for path in folder.glob("*.js"))
