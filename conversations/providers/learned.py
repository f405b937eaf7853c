"""What was found out about an endpoint while it was used, kept in its record: context windows that refusals named, and
which listed model was preselected first. On a database thread."""

import time

from django.db import transaction

from conversations.models import Endpoint

from .model_list_format import believable

KEPT = 7 * 86_400
"""Seconds for which a window that a refusal named counts: a server may be started anew with a larger one."""

MOST = 500
"""Windows that one endpoint may have."""


def windows(row: Endpoint) -> dict[str, int]:
    """Tokens by the provider's name of the model."""
    since = time.time() - KEPT
    return {name: tokens for name, (tokens, at) in row.learnt_windows.items() if at > since and believable(tokens)}


@transaction.atomic
def keep(endpoint: int, name: str, tokens: int) -> None:
    row = Endpoint.objects.select_for_update().filter(pk=endpoint).first()
    if row is None:
        return
    others = {known: entry for known, entry in row.learnt_windows.items() if known != name}
    newest = sorted(others.items(), key=lambda entry: -entry[1][1])[: MOST - 1]
    # Not `save`: the administrator's fields may have changed meanwhile.
    Endpoint.objects.filter(pk=endpoint).update(learnt_windows={**dict(newest), name: [tokens, int(time.time())]})


def keep_usual(endpoint: int, key: str) -> None:
    """The first one stays, of whichever endpoint."""
    if not Endpoint.objects.exclude(usual="").exists():
        Endpoint.objects.filter(pk=endpoint).update(usual=key)
