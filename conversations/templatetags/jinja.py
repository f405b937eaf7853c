"""Lets a page hold pieces (`conversations/pieces.py`)."""

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from conversations.rendering import jinja

register = template.Library()


@register.simple_tag(takes_context=True)
def piece(context: Context, name: str, **given: object) -> SafeString:
    """The piece of this name, with all that the page knows."""
    known = {str(key): value for key, value in context.flatten().items()}
    return jinja.render(name, {**known, **given}, context.get("request"))
