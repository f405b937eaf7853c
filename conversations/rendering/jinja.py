"""Jinja, for the HTML that is rendered most: messages and the rows of the sidebar.

A page of thirty messages and fifty rows, and the first and last frame of an answer, consist mostly of these. Jinja
compiles its templates, `templates/conversations/partials/*.jinja`, and takes a fraction of the time of Django's, which
are used for everything else.

Translated sentences are written `{{ _("…") }}`: `make messages` finds them only directly behind the braces.
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
    """The Jinja environment of the partials, for Django's setting `TEMPLATES`."""
    given = {**options, "autoescape": True, "undefined": StrictUndefined, "extensions": ["jinja2.ext.i18n"]}
    created = Environment(**given)  # noqa: S701  autoescape is on
    translator: Any = created  # the extension adds a method that the type does not know
    translator.install_gettext_callables(gettext, ngettext)
    created.globals["url"] = _url
    return created


def _url(name: str, pk: uuid.UUID | None = None) -> str:
    """The address of a URL name. Only `pk` differs between the rows of a list, so the rest is looked up once."""
    if pk is None:
        return reverse(name)
    before, after = _address_parts(name, get_script_prefix())
    return f"{before}{pk}{after}"


@lru_cache(maxsize=100)
def _address_parts(name: str, _prefix: str) -> list[str]:
    """The parts of an address before and after the ID. `_prefix`, which a proxy may set, is part of the first."""
    return reverse(name, args=[NO_ID]).split(str(NO_ID))


def render(name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
    """A partial as safe HTML. Without a request its forms have no CSRF token of their own: htmx sends the page's
    (`hx-headers`)."""
    html = engines[ENGINE].get_template(name).render({"csrf_input": "", **context}, request)
    return mark_safe(html)  # noqa: S308  escaped by the template
