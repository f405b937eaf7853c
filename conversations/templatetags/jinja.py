"""Includes a partial, which Jinja renders, in a template of Django."""

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from conversations.rendering.jinja import render

register = template.Library()


@register.simple_tag(takes_context=True)
def jinja(context: Context, name: str, **extra: object) -> SafeString:
    """The partial of this name, with the context of the template and `extra`."""
    values = {str(key): value for key, value in context.flatten().items()}
    return render(name, {**values, **extra}, context.get("request"))
