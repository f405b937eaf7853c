"""Who asked to stop a run, and from where; for the administration, never for the decision itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as lazy


class StopOrigin(models.TextChoices):
    """From where a run was stopped."""

    PAGE = "page", lazy("the page that asked")
    OTHER_PAGE = "other_page", lazy("another page")
    ADMIN = "admin", lazy("the admin")
    SERVER = "server", lazy("the server")


@dataclass(frozen=True, slots=True)
class StopRequest:
    """`person`: id of the user who asked; None where nobody did."""

    origin: StopOrigin
    person: int | None = None

    @classmethod
    def from_page(cls, person: int) -> Self:
        """A person stops their own answer, on any of their pages."""
        return cls(StopOrigin.PAGE, person)

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> Self | None:
        """Read what another process sent. None if it names no origin, or one that this version does not know."""
        origin, person = fields.get("origin", ""), fields.get("person", "")
        if origin not in StopOrigin.values:
            return None
        return cls(StopOrigin(origin), int(person) if person.isdecimal() else None)

    @property
    def fields(self) -> dict[str, str]:
        """What is sent to another process, which reads it with `from_fields`."""
        return {"origin": self.origin.value, "person": "" if self.person is None else str(self.person)}


SERVER = StopRequest(StopOrigin.SERVER)
"""Nobody asked: the server saw that nobody is there, or had to end itself."""
