"""Jinja, for the HTML that is rendered most: messages and the rows of the list.

Its templates are `templates/conversations/partials/*.jinja`.

A page of thirty messages and fifty rows, and an answer's first and last frame, are mostly these; Jinja compiles them,
and takes a fraction of the time of Django's own templates, in which everything else is written.

Sentences: `{{ _("…") }}`, with nothing before the underscore within the braces, or `make messages` does not see them.
"""

import uuid
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.template import engines
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined

ENGINE = "partials"
NO_ID = uuid.UUID(int=0)


def environment(**options: Any) -> Environment:
    """Jinja with what these templates use (`TEMPLATES` of the settings)."""
    given = {**options, "autoescape": True, "undefined": StrictUndefined, "extensions": ["jinja2.ext.i18n"]}
    made = Environment(**given)  # noqa: S701  it does escape
    translator: Any = made  # the extension gives it a method that its type does not have
    translator.install_gettext_callables(gettext, ngettext)
    made.globals["url"] = _url
    return made


def _url(name: str, pk: uuid.UUID | None = None) -> str:
    """The address of that name; the rest of it, for each row of a list, is looked up once."""
    if pk is None:
        return reverse(name)
    before, after = _around(name, get_script_prefix())
    return f"{before}{pk}{after}"


@lru_cache(maxsize=100)
def _around(name: str, _prefix: str) -> list[str]:
    """What stands before and behind the id in an address. The prefix, which a proxy may set, is in it."""
    return reverse(name, args=[NO_ID]).split(str(NO_ID))


def render(name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
    """A partial as safe HTML; without a request its forms have no token of their own: htmx sends
    that of the page (`hx-headers`)."""
    made = engines[ENGINE].get_template(name).render({"csrf_input": "", **context}, request)
    return mark_safe(made)  # noqa: S308  escaped by the template
