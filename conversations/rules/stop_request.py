"""Who asked to stop a run, and from where; for the administration, never for the decision itself."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs

from django.db import models
from django.utils.translation import gettext_lazy as lazy

TAB_LENGTH = 64
"""Characters of a tab's name that are looked at."""


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
    def in_tab(cls, person: int, tab: str, asked_in: Container[str]) -> Self:
        """Somebody at one of their own pages. `asked_in`: the tabs in which the answer was asked for."""
        return cls(StopOrigin.PAGE if tab in asked_in else StopOrigin.OTHER_PAGE, person)

    @classmethod
    def told(cls, ring: Mapping[str, str]) -> Self | None:
        """As another process told it; None if it did not, or in words that are not known here."""
        origin, person = ring.get("origin", ""), ring.get("person", "")
        if origin not in StopOrigin.values:
            return None
        return cls(StopOrigin(origin), int(person) if person.isdecimal() else None)

    @property
    def words(self) -> dict[str, str]:
        """For `told` at another process."""
        return {"origin": self.origin.value, "person": "" if self.person is None else str(self.person)}


SERVER = StopRequest(StopOrigin.SERVER)
"""Nobody asked: the server saw that nobody is there, or had to end itself."""


def tab_of(query: bytes) -> str:
    """The name that a tab gave itself in the socket's address; "" without one."""
    return parse_qs(query.decode("ascii", "replace")).get("tab", [""])[0][:TAB_LENGTH]
