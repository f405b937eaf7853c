"""Context windows that an endpoint's refusals named, kept in its record. Runs on a database thread."""

import time

from django.db import transaction

from conversations.models import Endpoint
from conversations.providers.model_list import is_plausible_window

MAX_AGE = 7 * 86_400
"""Seconds after which a learned window expires: a server may have been restarted with a larger one."""

MAX_WINDOWS = 500
"""Learned windows of one endpoint; the oldest are dropped."""


def windows(row: Endpoint) -> dict[str, int]:
    """The windows that have not expired: tokens by the provider's name of the model."""
    since = time.time() - MAX_AGE
    learned = row.learnt_windows.items()
    return {name: tokens for name, (tokens, at) in learned if at > since and is_plausible_window(tokens)}


@transaction.atomic
def save(endpoint: int, name: str, tokens: int) -> None:
    """Store the context window of the model `name`, in tokens, in the record with the id `endpoint`, if that still
    exists."""
    row = Endpoint.objects.select_for_update().filter(pk=endpoint).first()
    if row is None:
        return
    others = {known: entry for known, entry in row.learnt_windows.items() if known != name}
    newest = sorted(others.items(), key=lambda entry: -entry[1][1])[: MAX_WINDOWS - 1]
    # Not `row.save()`: an administrator may have changed other fields since the row was read.
    Endpoint.objects.filter(pk=endpoint).update(learnt_windows={**dict(newest), name: [tokens, int(time.time())]})
