"""A model on offer, and what the model picker shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group

from conversations import models
from conversations.providers.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of the model picker. `key` identifies the model in conversations and in the socket's commands."""

    key: str
    label: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model that people may choose.

    `name` is what the provider calls it. Prices are per million tokens, `context_window` is in tokens. `groups` holds
    the ids of the groups that may use it; empty for everybody. `age` is the id of its row; a smaller one is older.

    `listed`: only the endpoint's list names it; no administrator has added it. `preselected`: it was preselected before
    any administrator chose a default, and remains so. `recommended`: the best of those that are only listed.
    """

    key: str
    name: str
    endpoint: Endpoint
    label: str = ""
    order: int = 0
    default: bool = False
    price_in: Decimal | None = None
    price_out: Decimal | None = None
    currency: str = ""
    context_window: int | None = None
    continues_by: str = models.ContinuesBy.INSTRUCTION
    system_prompt: str = ""
    groups: frozenset[int] = frozenset()
    listed: bool = False
    preselected: bool = False
    recommended: bool = False
    age: int = 0

    def __str__(self) -> str:
        return self.label or self.name


def allowed(offered: Sequence[Model], user: AbstractBaseUser | AnonymousUser) -> list[Model]:
    """The models that this person may use. Queries the database only if some model is limited to groups."""
    if not any(model.groups for model in offered):
        return list(offered)
    groups = set(Group.objects.filter(user=user.pk).values_list("pk", flat=True))
    return [model for model in offered if not model.groups or model.groups & groups]
