"""The list of a person's conversations: in groups, and page after page as one scrolls."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Conversation, Generation
from conversations.models.conversation import ConversationQuerySet, parse_id
from conversations.rendering import jinja

from .recently_deleted import kept
from .request import HttpRequest

PAGE = 50
"""Conversations that are fetched at once as one scrolls."""

LONGEST = 1000
"""Conversations that a refresh brings back at most, however far somebody has scrolled."""

PINNED = 100
"""Pinned conversations at the head of the list. Older ones stay with those of their day, so that none is lost."""

YEARS = range(1970, 9999)
"""Of places in the list. At both ends of the calendar a time has no counterpart in some time zones."""

Group = tuple[str, list[Conversation]]


@dataclass(frozen=True, slots=True)
class Place:
    """A row in the list, as an address says it; what follows it is the next page."""

    active_at: datetime
    pk: uuid.UUID

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        at, _separator, pk = text.partition("_")
        try:
            moment, key = parse_datetime(at), parse_id(pk)
        except ValueError:  # well formed, and no day of the calendar
            return None
        if moment is None or key is None or moment.tzinfo is None or moment.year not in YEARS:
            return None
        return cls(moment.astimezone(UTC), key)

    def __str__(self) -> str:
        return f"{self.active_at.isoformat().replace('+00:00', 'Z')}_{self.pk}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of the list. `next`: the place behind which there is more."""

    groups: list[Group]
    pinned: list[Conversation] = field(default_factory=list)
    archived: bool = False
    next: Place | None = None
    continued: bool = False


@never_cache
@login_required
@require_safe
def sidebar(request: HttpRequest) -> HttpResponse:
    """The list; with `?after=` the page behind that place. `rows`: how many the page has now, without the pinned ones,
    and wants again."""
    return HttpResponse(jinja.render("sidebar_list.jinja", {**context(request), "conversation": None}, request))


def context(request: HttpRequest) -> dict[str, object]:
    asked = request.GET
    rows = asked.get("rows", "")
    size = min(max(PAGE, int(rows)), LONGEST) if rows.isdecimal() and len(rows) < 6 else PAGE
    after = Place.parse(asked.get("after", ""))
    deleted = parse_id(asked.get("deleted", ""))
    return {
        "shelf": shelf(request.user, archived="archived" in asked, after=after, size=size),
        "deleted": Conversation.objects.deleted_by(request.user).filter(pk=deleted).first() if deleted else None,
        "kept": kept() if deleted else "",
    }


def shelf(
    user: AbstractBaseUser | AnonymousUser, *, archived: bool = False, after: Place | None = None, size: int = PAGE
) -> Shelf:
    visible = Conversation.objects.visible_to(user).begun()
    pinned = [] if archived else _pinned(visible, named_only=after is not None)
    rows = (visible.archived() if archived else visible.listed(besides=pinned)).newest_first()
    if after is not None:
        rows = rows.before(after.active_at, after.pk)
    found = list(with_running(rows)[: size + 1])
    more = len(found) > size
    found = found[:size]
    return Shelf(
        _groups(found, _label(after.active_at) if after is not None else ""),
        pinned=pinned if after is None else [],
        archived=archived,
        next=Place(found[-1].active_at, found[-1].pk) if more else None,
        continued=after is not None,
    )


def with_running(rows: ConversationQuerySet) -> ConversationQuerySet:
    """With the id of the generation that answers each, where there is one."""
    running = Generation.objects.streaming().filter(conversation=OuterRef("pk")).values("pk")[:1]
    return rows.annotate(running_generation_id=Subquery(running))


def _pinned(visible: ConversationQuerySet, *, named_only: bool) -> list[Conversation]:
    """Those at the head of the list; `named_only`: their ids, for a page that only leaves them out."""
    rows = visible.pinned()
    return list((rows.only("pk") if named_only else with_running(rows))[:PINNED])


def _groups(rows: list[Conversation], above: str) -> list[Group]:
    """`above`: the label that the page before ended with, which is not said again."""
    groups = [(label, list(group)) for label, group in groupby(rows, lambda row: _label(row.active_at))]
    return [("" if label == above else label, group) for label, group in groups]


def _label(active_at: datetime) -> str:
    days = (timezone.localdate() - timezone.localdate(active_at)).days
    if days <= 0:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    if days <= 7:
        return _("Previous 7 days")
    return date_format(timezone.localtime(active_at), "F Y")
