"""The lifecycle of a generation without I/O: which end wins, with which reason, and when timeouts expire.

A state machine plays provider, people and clock, and compares the lifecycle with a model that is easy to verify.
"""

from itertools import permutations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from conversations.rules.lifecycle import LINGER, Lifecycle, Limits
from conversations.rules.status import STATUS_OF, EndReason, Outcome, Status
from conversations.rules.viewers import GracePeriods, Viewers

VIEWERS = ("one tab", "another tab", "elsewhere")
LIMITS = Limits(first_token=60, silence=30, total=600, max_characters=100, no_text=200)
FINISHES = {
    "stop": EndReason.FINISHED,
    "length": EndReason.LENGTH,
    "content_filter": EndReason.CONTENT_FILTER,
    "tool_calls": EndReason.TOOL_CALL,
    "error": EndReason.PROVIDER_FAILED,
    "whatever": EndReason.UNCLEAR,
}
OF_ITSELF = {"stop", "length"}
STOPS = [reason for reason in EndReason if STATUS_OF[reason] == Status.INTERRUPTED]
FAILURES = [reason for reason in EndReason if STATUS_OF[reason] == Status.ERROR]
CAUSES = [EndReason.LEFT, EndReason.CONNECTION_LOST, EndReason.SIGNED_OUT]


class GenerationMachine(RuleBasedStateMachine):
    """One generation with its viewers. `reason` is what the model expects; None while it streams."""

    @initialize(left=st.sampled_from([0, 3, 60]), lost=st.sampled_from([0, 2]), prefix=st.sampled_from(["", "zoo "]))
    def begin(self, left: int, lost: int, prefix: str) -> None:
        self.now = 1000
        self.grace_periods = {EndReason.LEFT: left, EndReason.CONNECTION_LOST: lost, EndReason.SIGNED_OUT: 0}
        self.lifecycle = Lifecycle(LIMITS, self.now, prefix)
        self.viewers = Viewers(GracePeriods(left, lost))
        self.reason: EndReason | None = None
        self.decided_at = 0
        self.text = prefix
        self.written = 0
        self.heard_at = self.worded_at = self.now
        self.any_token = False
        self.present: set[str] = set()
        self.due: float | None = None
        self.cause = EndReason.LEFT

    def decide(self, reason: EndReason) -> bool:
        """In the model, the first end wins."""
        if self.reason is not None:
            return False
        self.reason, self.decided_at = reason, self.now
        return True

    @rule(seconds=st.sampled_from([0, 1, 2, 5, 29, 30, 31, 59, 60, 300]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    # --- the provider

    @rule()
    def headers(self) -> None:
        self.lifecycle.open(self.now)

    @rule(text=st.text(alphabet="ab🐝\n", min_size=1, max_size=40))
    def token(self, text: str) -> None:
        kept = self.lifecycle.add_text(text, self.now)
        if self.reason is not None:
            assert kept == ""
            return
        assert kept == text[: LIMITS.max_characters - len(self.text)]
        self.text += kept
        self.written += len(kept)
        self.heard_at = self.worded_at = self.now
        self.any_token = True
        if kept != text:
            self.decide(EndReason.TOO_LARGE)

    @rule()
    def thinks(self) -> None:
        self.lifecycle.record_activity(self.now)
        self.heard_at = self.now

    @rule(word=st.sampled_from([*FINISHES]))
    def finishes(self, word: str) -> None:
        self.lifecycle.finish(word, self.now)
        nothing = not self.text.strip() and word in OF_ITSELF
        self.decide(EndReason.EMPTY if nothing else FINISHES[word])

    @rule()
    def ends_without_a_word(self) -> None:
        self.lifecycle.end_of_stream(self.now)
        self.decide(EndReason.TRUNCATED)

    @rule(reason=st.sampled_from(FAILURES))
    def fails(self, reason: EndReason) -> None:
        assert self.lifecycle.fail(Outcome(reason), self.now) == self.decide(reason)

    # --- people

    @rule(reason=st.sampled_from(STOPS))
    def stops(self, reason: EndReason) -> None:
        assert self.lifecycle.stop(reason, self.now) == self.decide(reason)

    @rule(viewer=st.sampled_from(VIEWERS))
    def arrives(self, viewer: str) -> None:
        self.viewers.arrive(viewer)
        self.present.add(viewer)
        self.due = None

    @rule(viewer=st.sampled_from(VIEWERS), cause=st.sampled_from(CAUSES))
    def leaves(self, viewer: str, cause: EndReason) -> None:
        last = self.present == {viewer}
        assert self.viewers.leave(viewer, cause, self.now) == last
        self.present.discard(viewer)
        if last:
            self.due, self.cause = self.now + self.grace_periods[cause], cause

    @precondition(lambda self: self.due is not None)
    @rule()
    def page_was_served(self) -> None:
        self.viewers.postpone_end(self.now)
        self.due = max(self.due or 0, self.now + self.grace_periods[EndReason.CONNECTION_LOST])

    # --- periodic checks

    @rule()
    def looks_for_viewers(self) -> None:
        alone = self.viewers.pending_end
        expected = None if self.due is None else (self.due, self.cause)
        assert alone == expected
        if expected is not None and self.now >= expected[0]:
            assert self.lifecycle.stop(self.cause, self.now) == self.decide(self.cause)

    @rule()
    def looks_at_the_provider(self) -> None:
        overdue = self.lifecycle.expire(self.now)
        if self.reason is not None:
            assert overdue == (self.now >= self.decided_at + LINGER)
            return
        due = self.worded_at + (LIMITS.silence if self.any_token else LIMITS.first_token)
        if self.heard_at > self.worded_at:
            due = max(due, min(self.heard_at + LIMITS.silence, self.worded_at + LIMITS.no_text))
        assert overdue == (self.now >= min(due, 1000 + LIMITS.total))
        if overdue:
            self.decide(EndReason.TIMED_OUT)

    # --- invariants

    @invariant()
    def one_outcome_the_first(self) -> None:
        outcome = self.lifecycle.outcome
        assert (outcome.reason if outcome else None) == self.reason
        if outcome is not None:
            assert outcome.status == STATUS_OF[outcome.reason]
            assert self.lifecycle.decided_at == self.decided_at

    @invariant()
    def text_is_what_came_before_it(self) -> None:
        assert self.lifecycle.text == self.text
        assert self.lifecycle.length == len(self.text)
        assert self.lifecycle.length <= LIMITS.max_characters

    @invariant()
    def alone_exactly_when_all_have_left(self) -> None:
        assert self.viewers.anybody == bool(self.present)
        assert not (self.viewers.anybody and self.viewers.pending_end)


@pytest.mark.timeout(300)
def test_lifecycle_matches_the_model(long):
    examples = 3000 if long else 150
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        GenerationMachine,
        settings=settings(
            max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=checks, database=None
        ),
    )


STEPS = {
    "token": lambda lifecycle, now: lifecycle.add_text("x", now),
    "finish": lambda lifecycle, now: lifecycle.finish("stop", now),
    "stop": lambda lifecycle, now: lifecycle.stop(EndReason.STOPPED, now),
    "stop again": lambda lifecycle, now: lifecycle.stop(EndReason.STOPPED, now),
    "new prompt": lambda lifecycle, now: lifecycle.stop(EndReason.SUPERSEDED, now),
    "end": lambda lifecycle, now: lifecycle.end_of_stream(now),
    "failure": lambda lifecycle, now: lifecycle.fail(Outcome(EndReason.PROVIDER_FAILED), now),
}
DECIDES = {
    "finish": EndReason.FINISHED,
    "stop": EndReason.STOPPED,
    "stop again": EndReason.STOPPED,
    "new prompt": EndReason.SUPERSEDED,
    "end": EndReason.TRUNCATED,
    "failure": EndReason.PROVIDER_FAILED,
}


def test_every_order_of_concurrent_ends():
    """All 5040 orders of concurrent events: the answer is complete exactly if the finish reason came first."""
    for order in permutations(STEPS):
        lifecycle = Lifecycle(LIMITS, 0, "Bees ")
        for moment, step in enumerate(order):
            STEPS[step](lifecycle, moment)
        first = next(step for step in order if step in DECIDES)
        assert lifecycle.outcome
        assert lifecycle.outcome.reason == DECIDES[first]
        assert (lifecycle.outcome.status == Status.COMPLETE) == (first == "finish")
        assert lifecycle.text == ("Bees x" if order.index("token") < order.index(first) else "Bees ")
