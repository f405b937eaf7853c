"""Puts a partial, which Jinja renders, into a page of Django's templates."""

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from conversations.rendering.jinja import render

register = template.Library()


@register.simple_tag(takes_context=True)
def jinja(context: Context, name: str, **given: object) -> SafeString:
    """The partial of this name, with all that the page knows."""
    known = {str(key): value for key, value in context.flatten().items()}
    return render(name, {**known, **given}, context.get("request"))
