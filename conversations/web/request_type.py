"""A request as the views get it."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest as DjangoRequest
from django_htmx.middleware import HtmxDetails

User = AbstractBaseUser | AnonymousUser


class HttpRequest(DjangoRequest):
    """A request after django-htmx's middleware."""

    htmx: HtmxDetails
