"""The JavaScript modules by name: others import `static/js/chat/composer.js` as `chat/composer`."""

from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.templatetags.static import static

register = template.Library()

FOLDERS = ("chat", "net", "shell")


@register.simple_tag
def modules() -> dict[str, str]:
    """{name: address} of all modules. The page preloads them: finding each only in the module before costs a round trip
    per level of imports."""
    return {name: static(f"js/{name}.js") for name in _names()}


@cache
def _names() -> list[str]:
    folders = [Path(folder, "js", name) for folder in settings.STATICFILES_DIRS for name in FOLDERS]
    return sorted(f"{folder.name}/{path.stem}" for folder in folders for path in folder.glob("*.js"))
