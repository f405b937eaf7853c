"""Invariants that hold after every scenario, whatever failed in it.

    checker = Checker(provider.exchanges, [page, other])    # the provider's requests, and all pages of the scenario
    checker.settle()                                        # waits until nothing streams any more
    checker.check()                                         # raises one AssertionError that lists every violation

Reads the database, what the provider wrote, and every frame that a page received. It matches generations and requests
to the provider by the prompt, which therefore has to be unique. With `plain=False`, for a provider that writes
Markdown, it does not compare the words of an unfinished text.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from conversations.models import Generation, Piece, Presence
from conversations.rendering.markdown import stream
from conversations.rules.status import STATUS_OF, EndReason, Status
from tests.support.people import words
from tests.support.polling import eventually
from tests.support.protocol_rules import Event, Rules, grow_tail

UPSTREAM_LAG = 1.0
"""Seconds that the provider's open answers may outlive the streaming generations."""

UNSAVED_ENDS = frozenset({EndReason.SERVER_LOST})
"""Ends of generations whose process could no longer save: a page may have shown text that is not stored."""


class Upstream(Protocol):
    """One request to the provider, such as `exchange.Exchange` or `steady_provider.StreamedAnswer`."""

    prompt: str
    closed_at: float | None

    @property
    def text(self) -> str: ...


class Page(Protocol):
    """A page's socket with everything that it received, such as `sockets.Socket` or `crowd.Page`."""

    events: list[Event]


@dataclass(frozen=True)
class Stored:
    """A generation as stored in the database."""

    key: str
    prompt: str
    prefix: str
    status: str
    reason: str
    text: str
    message_status: str
    characters: int
    row: tuple[Any, ...]

    @classmethod
    def all(cls, keys: Iterable[str]) -> "dict[str, Stored]":
        rows = Generation.objects.filter(pk__in=list(keys)).select_related("message__parent", "continued_from")
        return {str(row.pk): cls._of(row) for row in rows}

    @classmethod
    def _of(cls, row: Generation) -> "Stored":
        fields = tuple(getattr(row, each.attname) for each in _lasting(Generation._meta.concrete_fields))
        message = tuple(getattr(row.message, each.attname) for each in row.message._meta.concrete_fields)
        return cls(
            key=str(row.pk),
            prompt=row.message.parent.content if row.message.parent else "",
            prefix=row.continued_from.content if row.continued_from else "",
            status=row.status,
            reason=row.end_reason,
            text=row.message.content,
            message_status=row.message.status,
            characters=row.characters,
            row=(*fields, *message),
        )


def _lasting(fields):
    """The fields that do not change after the end."""
    return [
        each for each in fields if each.name not in {"tokens_in", "tokens_out", "usage_source", "usage_final", "cost"}
    ]


@dataclass
class View:
    """What one page saw of one generation, frame by frame."""

    done: str = ""
    tail: str = ""
    seq: int = 0
    ends: list[Event] = field(default_factory=list)

    @property
    def html(self) -> str:
        return self.done + self.tail


class Checker:
    """Collects violations; `check` raises them. Processes number their frames independently, so pages of other
    processes are given as separate lists in `elsewhere`."""

    def __init__(
        self,
        upstreams: Iterable[Upstream],
        pages: Iterable[Page],
        *,
        elsewhere: Sequence[Iterable[Page]] = (),
        generations: Iterable[str] = (),
        plain: bool = True,
    ) -> None:
        self.upstreams = [upstream for upstream in upstreams if upstream.prompt]
        self.groups = [list(pages), *(list(group) for group in elsewhere)]
        self.plain = plain
        self.wrong: list[str] = []
        self._named = set(map(str, generations))
        self._by_prompt: dict[str, list[Upstream]] = {}
        for upstream in self.upstreams:
            self._by_prompt.setdefault(upstream.prompt, []).append(upstream)

    @property
    def generations(self) -> set[str]:
        """All generations that a page was told of or that the test named."""
        told = {
            str(event.fields["generation"])
            for group in self.groups
            for page in group
            for event in list(page.events)
            if event.fields.get("generation")
        }
        return told | self._named

    def settle(self, timeout: float = 15.0) -> "Checker":
        """Wait until none of the generations streams and the provider's answers are over."""
        keys = [uuid.UUID(key) for key in self.generations]
        eventually(lambda: not Generation.objects.streaming().filter(pk__in=keys).exists(), "all ended", timeout)
        eventually(self._all_closed, "the provider's sockets closed", UPSTREAM_LAG + timeout)
        return self

    def check(self) -> "dict[str, Stored]":
        """Check all invariants; returns the stored generations by id."""
        stored = Stored.all(self.generations)
        time.sleep(0.3)  # longer than a tick, so that a late write would happen now
        self._check_unchanged(stored)
        for each in stored.values():
            self._check_row(each)
            self._check_text(each)
        self._check_no_leftover_rows(stored)
        self._check_upstreams(stored)
        for group in self.groups:
            self._check_pages(group, stored)
        assert not self.wrong, f"{len(self.wrong)} broken promises:\n  " + "\n  ".join(self.wrong[:40])
        return stored

    def note(self, problem: str) -> None:
        self.wrong.append(problem)

    # --- the database ------------------------------------------------------------------------------------------------

    def _check_unchanged(self, before: "dict[str, Stored]") -> None:
        after = Stored.all(before)
        for key, stored in before.items():
            if stored.status != Status.STREAMING and key in after and after[key].row != stored.row:
                self.note(f"{key}: changed after its end: {stored.row} → {after[key].row}")

    def _check_row(self, stored: Stored) -> None:
        if stored.status == Status.STREAMING:
            self.note(f"{stored.key}: still streaming")
            return
        if STATUS_OF.get(EndReason(stored.reason)) != stored.status:
            self.note(f"{stored.key}: {stored.status} because of {stored.reason!r}")
        if stored.message_status != stored.status:
            self.note(f"{stored.key}: the message is {stored.message_status}, its generation {stored.status}")
        if stored.characters != len(stored.text) - len(stored.prefix):
            self.note(f"{stored.key}: {stored.characters} characters counted, {len(stored.text)} stored")

    def _check_text(self, stored: Stored) -> None:
        if not stored.text.startswith(stored.prefix):
            self.note(f"{stored.key}: does not begin with the answer it continues")
            return
        written = stored.text[len(stored.prefix) :]
        sent = [upstream.text.replace("\0", "") for upstream in self._by_prompt.get(stored.prompt, [])]
        if not sent:
            if written:
                self.note(f"{stored.key}: has text and no request to a known provider")
            return
        if not any(text.startswith(written) for text in sent):
            self.note(f"{stored.key}: {written[-60:]!r} is no prefix of what was sent: …{sent[0][-60:]!r}")
        if stored.reason == EndReason.FINISHED and written not in sent:
            self.note(f"{stored.key}: complete with {len(written)} characters of {[len(text) for text in sent]}")

    def _check_no_leftover_rows(self, stored: "dict[str, Stored]") -> None:
        keys = [uuid.UUID(key) for key, each in stored.items() if each.status != Status.STREAMING]
        if left := Piece.objects.filter(generation_id__in=keys).count():
            self.note(f"{left} pieces left over")
        # The next sweep deletes the presence rows that were noted at the moment of the end.
        noted = Presence.objects.filter(generation_id__in=keys)
        eventually(lambda: not noted.exists(), "no presence rows of ended generations")

    # --- the provider ------------------------------------------------------------------------------------------------

    def _all_closed(self) -> bool:
        return all(_over(upstream) for upstream in self.upstreams)

    def _check_upstreams(self, stored: "dict[str, Stored]") -> None:
        asked = Counter(upstream.prompt for upstream in self.upstreams if _opened(upstream))
        wanted = Counter(each.prompt for each in stored.values())
        for prompt, count in asked.items():
            if wanted[prompt] and count > wanted[prompt]:
                self.note(f"{prompt!r}: asked {count} times for {wanted[prompt]} answers")
        over = {each.prompt for each in stored.values() if each.status != Status.STREAMING}
        for upstream in self.upstreams:
            if upstream.prompt in over and not _over(upstream):
                self.note(f"{upstream.prompt!r}: over, and its socket to the provider is open")

    # --- the pages ---------------------------------------------------------------------------------------------------

    def _check_pages(self, pages: "list[Page]", stored: "dict[str, Stored]") -> None:
        states: dict[tuple[str, int], str] = {}
        for page in pages:
            events = list(page.events)
            rules = Rules()
            for event in events:
                rules.apply(event)
            for problem in rules.broken:
                self.note(problem)
            for key, view in self._replay(events, states).items():
                if key in stored:
                    self._check_view(view, stored[key])

    def _replay(self, events: "list[Event]", states: "dict[tuple[str, int], str]") -> "dict[str, View]":
        """Replay what the page showed, and compare each state with that of the other pages with the same number."""
        views: dict[str, View] = {}
        for event in events:
            key = str(event.fields.get("generation"))
            if event.op == "snapshot":
                views[key] = View(event["html"], event["tail"], seq=event["seq"], ends=views.get(key, View()).ends)
            elif event.op == "delta" and key in views:
                view = views[key]
                view.done, view.tail, view.seq = view.done + event["html"], grow_tail(view.tail, event), event["seq"]
            elif event.op == "end":
                views.setdefault(key, View()).ends.append(event)
                continue
            else:
                continue
            same = states.setdefault((key, views[key].seq), views[key].html)
            if same != views[key].html:
                self.note(f"{key}: two pages differ at {views[key].seq}: …{same[-80:]!r}, …{views[key].html[-80:]!r}")
        return views

    def _check_view(self, view: View, stored: Stored) -> None:
        if len(view.ends) > 1:
            self.note(f"{stored.key}: {len(view.ends)} ends on one page")
        for end in view.ends:
            if (end["status"], end["reason"]) != (stored.status, stored.reason):
                self.note(f"{stored.key}: told as {end['status']}/{end['reason']}, is {stored.status}/{stored.reason}")
        if stored.reason in UNSAVED_ENDS:
            return
        final = stream.render(stored.text)
        if view.ends and view.seq and not view.tail and view.html != final:
            self.note(f"{stored.key}: shown …{view.html[-80:]!r}, a fresh read is …{final[-80:]!r}")
        if self.plain and not words(final).startswith(words(view.html)):
            self.note(f"{stored.key}: shown …{words(view.html)[-60:]!r}, stored …{words(final)[-60:]!r}")


def _opened(upstream: Upstream) -> bool:
    return getattr(upstream, "opened_at", 0.0) is not None


def _over(upstream: Upstream) -> bool:
    """Whether the product closed the connection, or the answer is complete: then the connection may stay open for the
    next request."""
    answered = getattr(upstream, "answered", False)
    return upstream.closed_at is not None or answered or not _opened(upstream)
