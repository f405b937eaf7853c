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
"""Order of the models of tests: behind those of the environment, so that other tests' defaults stay."""


@contextmanager
def offered(base_url: str, *names: str, endpoint: dict[str, Any] | None = None, **fields: Any) -> Iterator[Any]:
    """(endpoint, models): rows with these names at the provider and keys that begin with them, removed at the end."""
    mark = secrets.token_hex(4)
    row = Endpoint.objects.create(name=f"endpoint-{mark}", base_url=base_url, **(endpoint or {}))
    # A key of their own, as a server may know those of the test before for another moment.
    fields = {"order": LAST_ORDER, **fields}
    models = [LanguageModel.objects.create(endpoint=row, name=name, key=f"{name}-{mark}", **fields) for name in names]
    try:
        yield row, models
    finally:
        Endpoint.objects.filter(pk=row.pk).delete()


def wait_offered(person: Person, key: str, *, offered: bool = True) -> None:
    """Wait until the picker has this model, or has it no more."""
    eventually(lambda: (f'value="{key}"' in person.get("/").html) == offered, f"{key} in the picker: {offered}")


def endpoint_form(**fields: str) -> dict[str, str]:
    """The form of an endpoint as the administration's page sends it, without models."""
    counts = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000"}
    blank = {"name": f"endpoint-{secrets.token_hex(4)}", "base_url": "", "key_variable": "", "enabled": "on"}
    return blank | {f"models-{name}": value for name, value in counts.items()} | fields


def model_form(endpoint: Endpoint, **fields: str) -> dict[str, str]:
    """The form of a model as the administration's page sends it."""
    blank = {"name": f"model-{secrets.token_hex(4)}", "label": "", "order": str(LAST_ORDER), "enabled": "on"}
    return blank | {"endpoint": str(endpoint.pk), "currency": "USD", "continues_by": "instruction"} | fields


def change_model(staff: Person, model: LanguageModel, **fields: str) -> None:
    """Save a model on the administration's page, with these fields; returns when the server goes by them."""
    label = f"label-{secrets.token_hex(4)}"
    form = model_form(model.endpoint, name=model.name, label=label, **fields)
    page = staff.post(f"{MODELS}{model.pk}/change/", **form)
    assert page.status == 302, page.text
    eventually(lambda: label in staff.get("/").html, "the model as it was changed in the picker")
