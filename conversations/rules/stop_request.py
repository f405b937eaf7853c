"""Records who asked to stop a generation, and from where. For administrators only; no decision depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as lazy


class StopOrigin(models.TextChoices):
    """Where a stop came from."""

    PAGE = "page", lazy("the person's page")
    OTHER_PAGE = "other_page", lazy("another page")  # only in rows that earlier versions wrote
    ADMIN = "admin", lazy("the admin")
    SERVER = "server", lazy("the server")


@dataclass(frozen=True, slots=True)
class StopRequest:
    """`person` is the id of the user who asked to stop; None if nobody did."""

    origin: StopOrigin
    person: int | None = None

    @classmethod
    def from_page(cls, person: int) -> Self:
        """A person stops their own answer, on any of their pages."""
        return cls(StopOrigin.PAGE, person)

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> Self | None:
        """Read what another process sent; None if it sent no origin, or one that this version does not know."""
        origin, person = fields.get("origin", ""), fields.get("person", "")
        if origin not in StopOrigin.values:
            return None
        return cls(StopOrigin(origin), int(person) if person.isdecimal() else None)

    @property
    def fields(self) -> dict[str, str]:
        """The fields of a notification, for `from_fields` in another process."""
        return {"origin": self.origin.value, "person": "" if self.person is None else str(self.person)}


SERVER = StopRequest(StopOrigin.SERVER)
"""Nobody asked: all viewers had gone, or the server shut down."""
