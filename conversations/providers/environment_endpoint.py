"""Stores the environment's endpoint and models as the first record, and updates it until an administrator changes it.

Until then the record is only for the admin: each process uses its own environment (`catalog.endpoint_offers`).
"""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction

from conversations.models import Endpoint

from . import endpoints


@transaction.atomic
def sync() -> None:
    """Update the first endpoint from the environment. Processes take turns (`chatapp.prepare_installation`)."""
    first = Endpoint.objects.filter(follows_environment=True).first()
    if first is None and Endpoint.objects.exists():
        return
    first = first or Endpoint(follows_environment=True)
    first.name = _free_name(str(endpoints.from_environment()))
    address = without_password(settings.OPENAI_BASE_URL)
    if first.base_url != address:
        first.usual, first.learnt_windows = "", {}
    first.base_url = address
    first.key_variable = "OPENAI_API_KEY" if settings.OPENAI_BASE_URL and settings.OPENAI_API_KEY else ""
    first.offers_all = not settings.CHAT_MODELS
    first.save()
    _sync_models(first)


def _sync_models(first: Endpoint) -> None:
    first.models.exclude(name__in=settings.CHAT_MODELS).delete()
    for place, name in enumerate(settings.CHAT_MODELS):
        known = first.models.filter(name=name)
        if not known.update(order=place, continues_by=settings.CHAT_CONTINUE):
            first.models.create(name=name, order=place, continues_by=settings.CHAT_CONTINUE)


def _free_name(name: str) -> str:
    taken = Endpoint.objects.filter(name=name, follows_environment=False).exists()
    return f"{name} (environment)" if taken else name


def without_password(address: str) -> str:
    """The address without user and password, to store and to show."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
