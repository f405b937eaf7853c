"""The page's scripts by name: every module of `static/js` is known as `chat/<name>`."""

from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.templatetags.static import static

register = template.Library()


@register.simple_tag
def modules() -> dict[str, str]:
    """Name → address. The browser fetches all at once: waiting for each to name the next costs a round trip a level."""
    return {f"chat/{name}": static(f"js/{name}.js") for name in _names()}


@cache
def _names() -> list[str]:
    return sorted(path.stem for folder in settings.STATICFILES_DIRS for path in Path(folder, "js").glob("*.js"))
