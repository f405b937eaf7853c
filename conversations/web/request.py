"""A request as the pages get it."""

from django.http import HttpRequest as DjangoRequest
from django_htmx.middleware import HtmxDetails


class HttpRequest(DjangoRequest):
    """As django-htmx's middleware leaves it."""

    htmx: HtmxDetails
