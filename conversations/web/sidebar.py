"""The sidebar: a person's conversations, grouped by date, page by page as the person scrolls."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from django.contrib.auth.decorators import login_required
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

from .recently_deleted import retention_period
from .request_type import HttpRequest, User

PAGE_SIZE = 50
"""Conversations of one page of the list."""

MAX_REFRESHED = 1000
"""Conversations that a refresh fetches, however far somebody has scrolled."""

MAX_PINNED = 100
"""Pinned conversations that come first. Older ones are listed by date like unpinned ones, so that none is lost."""

YEARS = range(1970, 9999)
"""The years that a cursor may have: at both ends of the calendar, a time does not exist in some time zones."""

Group = tuple[str, list[Conversation]]
"""A label such as "Today", and the conversations under it. No label: the group continues that of the page before."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row of the list, as it is written in addresses. The next page begins after it."""

    active_at: datetime
    pk: uuid.UUID

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """The opposite of `str`; None if `text` is no valid cursor."""
        at, _separator, pk = text.partition("_")
        try:
            moment, key = parse_datetime(at), parse_id(pk)
        except ValueError:  # well-formed, but no date of the calendar
            return None
        if moment is None or key is None or moment.tzinfo is None or moment.year not in YEARS:
            return None
        return cls(moment.astimezone(UTC), key)

    def __str__(self) -> str:
        return f"{self.active_at.isoformat().replace('+00:00', 'Z')}_{self.pk}"


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list. `next`: where the next page begins; None on the last. `continued`: it is not the first."""

    groups: list[Group]
    pinned: list[Conversation] = field(default_factory=list)
    archived: bool = False
    next: Cursor | None = None
    continued: bool = False


@never_cache
@login_required
@require_safe
def sidebar(request: HttpRequest) -> HttpResponse:
    """GET: the list as a fragment; with `?after=` the page after that cursor, with `?archived` the archive. `?rows=`:
    how many unpinned rows the page shows, all of which are refreshed."""
    return HttpResponse(jinja.render("sidebar_list.jinja", {**context(request), "conversation": None}, request))


def context(request: HttpRequest) -> dict[str, object]:
    """The context of the sidebar, and of the toast after a deletion without scripts (`?deleted=`)."""
    query = request.GET
    rows = query.get("rows", "")
    size = min(max(PAGE_SIZE, int(rows)), MAX_REFRESHED) if rows.isdecimal() and len(rows) < 6 else PAGE_SIZE
    after = Cursor.parse(query.get("after", ""))
    deleted = parse_id(query.get("deleted", ""))
    return {
        "list_page": list_page(request.user, archived="archived" in query, after=after, size=size),
        "deleted": Conversation.objects.deleted_by(request.user).filter(pk=deleted).first() if deleted else None,
        "kept": retention_period() if deleted else "",
    }


def list_page(user: User, *, archived: bool = False, after: Cursor | None = None, size: int = PAGE_SIZE) -> ListPage:
    """The page of the person's list, or of their archive, that follows `after`: up to `size` unpinned conversations,
    and on the first page of the list the pinned ones."""
    visible = Conversation.objects.visible_to(user).begun()
    pinned = [] if archived else _pinned(visible, ids_only=after is not None)
    rows = (visible.archived() if archived else visible.listed(besides=pinned)).newest_first()
    if after is not None:
        rows = rows.before(after.active_at, after.pk)
    found = list(with_running_generation(rows)[: size + 1])
    more = len(found) > size
    found = found[:size]
    return ListPage(
        _groups(found, _label(after.active_at) if after is not None else ""),
        pinned=pinned if after is None else [],
        archived=archived,
        next=Cursor(found[-1].active_at, found[-1].pk) if more else None,
        continued=after is not None,
    )


def with_running_generation(rows: ConversationQuerySet) -> ConversationQuerySet:
    """Add `running_generation_id`: the streaming generation of each conversation, or None."""
    running = Generation.objects.streaming().filter(conversation=OuterRef("pk")).values("pk")[:1]
    return rows.annotate(running_generation_id=Subquery(running))


def _pinned(visible: ConversationQuerySet, *, ids_only: bool) -> list[Conversation]:
    """The pinned conversations that come first. `ids_only` is for later pages, which only leave them out."""
    rows = visible.pinned()
    return list((rows.only("pk") if ids_only else with_running_generation(rows))[:MAX_PINNED])


def _groups(rows: list[Conversation], previous_label: str) -> list[Group]:
    """`previous_label`: the last label of the page before, which is not repeated."""
    groups = [(label, list(group)) for label, group in groupby(rows, lambda row: _label(row.active_at))]
    return [("" if label == previous_label else label, group) for label, group in groups]


def _label(active_at: datetime) -> str:
    days = (timezone.localdate() - timezone.localdate(active_at)).days
    if days <= 0:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    if days <= 7:
        return _("Previous 7 days")
    return date_format(timezone.localtime(active_at), "F Y")
