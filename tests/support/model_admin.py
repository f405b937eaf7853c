"""Endpoints and models of a single test, and the admin's forms for them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conversations.models import Endpoint, LanguageModel
from tests.support.people import Person
from tests.support.polling import eventually

ENDPOINTS = "/admin/conversations/endpoint/"
MODELS = "/admin/conversations/languagemodel/"
LAST_ORDER = 1000
"""The order of test models: after those of the environment, so that the default of other tests stays."""


@contextmanager
def offered(base_url: str, *names: str, endpoint: dict[str, Any] | None = None, **fields: Any) -> Iterator[Any]:
    """Returns (endpoint, models) with these names at the provider and keys that begin with them; all are removed at the
    end."""
    mark = secrets.token_hex(4)
    row = Endpoint.objects.create(name=f"endpoint-{mark}", base_url=base_url, **(endpoint or {}))
    # Unique keys, because a server may remember those of the previous test for a moment.
    fields = {"order": LAST_ORDER, **fields}
    models = [LanguageModel.objects.create(endpoint=row, name=name, key=f"{name}-{mark}", **fields) for name in names]
    try:
        yield row, models
    finally:
        Endpoint.objects.filter(pk=row.pk).delete()


def wait_offered(person: Person, key: str, *, offered: bool = True) -> None:
    """Wait until the picker has this model, or no longer has it."""
    eventually(lambda: (f'value="{key}"' in person.get("/").html) == offered, f"{key} in the picker: {offered}")


def endpoint_form(**fields: str) -> dict[str, str]:
    """The form of an endpoint as the admin page sends it, without models."""
    counts = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000"}
    blank = {"name": f"endpoint-{secrets.token_hex(4)}", "base_url": "", "key_variable": "", "enabled": "on"}
    return blank | {f"models-{name}": value for name, value in counts.items()} | fields


def model_form(endpoint: Endpoint, **fields: str) -> dict[str, str]:
    """The form of a model as the admin page sends it."""
    blank = {"name": f"model-{secrets.token_hex(4)}", "label": "", "order": str(LAST_ORDER), "enabled": "on"}
    return blank | {"endpoint": str(endpoint.pk), "currency": "USD", "continues_by": "instruction"} | fields


def change_model(staff: Person, model: LanguageModel, **fields: str) -> None:
    """Save a model on the admin page with these fields; returns when the server uses them."""
    label = f"label-{secrets.token_hex(4)}"
    form = model_form(model.endpoint, name=model.name, label=label, **fields)
    page = staff.post(f"{MODELS}{model.pk}/change/", **form)
    assert page.status == 302, page.text
    eventually(lambda: label in staff.get("/").html, "the model as it was changed in the picker")
