"""The summary above the list of generations shows exact figures, whether it reads the rows or the hourly rollup."""

import math
import secrets
import statistics
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string

from conversations.admin.generations.summary_view import Overview
from conversations.models import Conversation, Generation, Message, SummaryChange, SummaryState
from conversations.operations.summary import figures
from conversations.operations.summary.cell_reader import SummaryTimeout
from conversations.operations.summary.figures import summarize
from conversations.operations.summary.histogram import Histogram
from conversations.operations.summary.rollup import roll_up
from conversations.operations.summary.selection import Condition, Selection
from tests.support import people
from tests.support.polling import eventually

LIST = "/admin/conversations/generation/"
NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
MONTHS_AGO = MIDNIGHT - timedelta(days=400)
AGES = [timedelta(minutes=1), timedelta(hours=5), timedelta(days=3), timedelta(days=45), timedelta(days=400)]


@pytest.fixture
def model():
    """A model that only this test uses, so that no other generations count."""
    return f"model-{secrets.token_hex(6)}"


@pytest.fixture
def store_all(alice, model):
    """Store generations described by the parameters of `described`."""
    conversation = Conversation.objects.create(owner=alice.user, title="Bees", model=model)

    def store_all(rows):
        made = [described(alice.user, conversation, model, **row) for row in rows]
        Message.objects.bulk_create([row.message for row in made])
        return Generation.objects.bulk_create(made)

    yield store_all
    conversation.generations.all().delete()


@pytest.fixture
def store_one(store_all):
    """Store one generation."""
    return lambda reason="finished", status="complete", **values: store_all(
        [{"reason": reason, "status": status, **values}]
    )[0]


def described(
    person, conversation, model, reason="finished", status="complete", *, at=NOW, first=None, stop=None, **more
):
    """A generation requested at `at`. `first` is the time to the first token and `stop` the time from Stop to the
    close, in milliseconds."""
    message = Message(conversation=conversation, role="assistant", status=status, content="Bees")
    times = {}
    if first is not None:
        times["first_token_at"] = at + timedelta(milliseconds=first)
    if stop is not None:
        times["stop_requested_at"] = at + timedelta(seconds=2)
        times["upstream_closed_at"] = at + timedelta(seconds=2, milliseconds=stop)
    if status != "streaming":
        times |= {"end_reason": reason, "ended_at": at + timedelta(seconds=3)}
    return Generation(
        conversation=conversation, message=message, requested_by=person, kind="reply", endpoint="bees.example",
        model=model, status=status, requested_at=at, **times, **more,
    )  # fmt: skip


@pytest.fixture
def some(store_all):
    """Generations of many kinds and every age."""
    rows = []
    for number, at in enumerate(NOW - age for age in AGES for _ in range(12)):
        price = {"price_out": Decimal(10), "currency": "EUR", "cost": Decimal("0.0125")} if number % 2 else {}
        tokens = {"tokens_in": 100 + number, "tokens_out": 40 + number * 7, "first": 150 + 37 * number, **price}
        if number % 4 == 0:
            stopped = {**tokens, "tokens_out": 5 + number, "stop": number}
            rows.append({"reason": "stopped", "status": "interrupted", "at": at, **stopped})
        elif number % 12 == 2:
            rows.append({"reason": "left", "status": "interrupted", "at": at, "characters": number})
        elif number % 12 == 6:
            reviewed = {"reviewed_at": NOW} if number % 24 == 6 else {}
            rows.append({"reason": "timed_out", "status": "error", "at": at, **reviewed})
        else:
            rows.append({"at": at, **tokens})
    return store_all(rows)


def for_model(model, **more):
    return Selection(conditions=(Condition("model", (model,)),), **more)


def roll_up_all():
    """Roll up every hour and day that can be rolled up."""

    def done():
        roll_up()
        state = SummaryState.objects.first()
        return (
            state
            and state.days_until == MIDNIGHT - timedelta(days=1)
            and state.hours_until >= NOW - timedelta(minutes=75)
            and not SummaryChange.objects.filter(at__lt=state.hours_until).exists()
        )

    eventually(done, "everything rolled up")


def by_rows(selection, **filters):
    """The summary of the same selection, computed from the rows."""
    found = Generation.objects.filter(**filters)
    for each in selection.conditions:
        found = found.filter(**{f"{each.column}__in": each.values})
    if selection.since:
        found = found.filter(requested_at__gte=selection.since)
    if selection.until:
        found = found.filter(requested_at__lt=selection.until)
    query = found.values("pk").query.sql_with_params()
    return summarize(Selection(selection.since, selection.until, selection.conditions, query))


def nearest_rank(values, percent):
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def test_every_figure_matches_the_statistics_module(model, some):
    roll_up_all()
    found = summarize(for_model(model))
    rows = list(Generation.objects.filter(pk__in=[row.pk for row in some]))
    assert found.count == len(rows) == 60
    for status in ("complete", "interrupted", "error"):
        assert found.statuses[status] == sum(row.status == status for row in rows)
    for reason in ("finished", "stopped", "left", "timed_out"):
        assert found.reasons[reason] == sum(row.end_reason == reason for row in rows)
    assert found.tokens_in == sum(row.tokens_in or 0 for row in rows)
    assert found.tokens_out == sum(row.tokens_out or 0 for row in rows)
    assert found.spent == {"EUR": sum(row.cost for row in rows if row.cost)}
    first = [(row.first_token_at - row.requested_at) / timedelta(milliseconds=1) for row in rows if row.first_token_at]
    for percent in (50, 95):
        assert found.first_token.percentile(percent) == pytest.approx(nearest_rank(first, percent), rel=0.05)
    stop = [
        (row.upstream_closed_at - row.stop_requested_at) / timedelta(milliseconds=1)
        for row in rows
        if row.stop_requested_at
    ]
    for percent in (50, 95, 99):
        assert found.stop.percentile(percent) == pytest.approx(nearest_rank(stop, percent), rel=0.05)
    assert sum(sum(counts.values()) for counts in found.over_time.values()) == 60


def test_estimates_what_stopping_saved(model, store_one):
    for tokens in (100, 200, 400):
        store_one(tokens_out=tokens)
    store_one("stopped", "interrupted", tokens_out=50, price_out=Decimal(20), currency="USD")
    store_one("stopped", "interrupted", tokens_out=150)
    store_one("stopped", "interrupted", tokens_out=5000, price_out=Decimal(20), currency="USD")
    store_one("server_lost", "interrupted", characters=400)
    found = summarize(for_model(model))
    usual = statistics.median([100, 200, 400])
    assert found.not_spent_tokens == (usual - 50) + (usual - 150) + (usual - 100)
    assert found.not_spent == {"USD": Decimal(20) * 150 / 1_000_000}
    assert [found.share.percentile(each) for each in (50, 100)] == pytest.approx([25, 75])
    assert found.share.count == 2  # nobody stopped the answer of a lost server
    assert (found.compared, found.not_compared) == (3, 1)  # nobody knows how long the longest one would have become


def test_compares_with_complete_answers_outside_the_filters(model, store_one):
    store_one(tokens_out=200)
    store_one("stopped", "interrupted", tokens_out=50)
    stopped = Selection(conditions=(Condition("model", (model,)), Condition("status", ("interrupted",))))
    assert summarize(stopped).not_spent_tokens == 150


def test_says_when_there_is_nothing_to_compare_with(model, store_one):
    store_one("stopped", "interrupted", tokens_out=50)
    found = summarize(for_model(model))
    assert (found.compared, found.not_compared, found.not_spent_tokens) == (0, 1, 0)
    assert found.share.percentile(50) is None


PERIODS = {
    "all": {},
    "since long ago": {"since": MONTHS_AGO},
    "a month and a bit": {"since": MIDNIGHT - timedelta(days=50)},
    "until last week": {"until": MIDNIGHT - timedelta(days=7)},
    "one day": {"since": MIDNIGHT - timedelta(days=3), "until": MIDNIGHT - timedelta(days=2)},
    "long ago": {"since": MONTHS_AGO - timedelta(days=1), "until": MONTHS_AGO + timedelta(days=60)},
    "nothing": {"since": MIDNIGHT + timedelta(days=400)},
}


def test_rollup_and_rows_give_the_same_summary(model, some):
    selections = {name: for_model(model, **period) for name, period in PERIODS.items()}
    before = {name: comparable(summarize(selection)) for name, selection in selections.items()}
    roll_up_all()
    for name, selection in selections.items():
        assert comparable(summarize(selection)) == before[name] == comparable(by_rows(selection)), name


def comparable(found):
    """Everything but the spreads and their percentiles, rounded, because sums of floats depend on their order."""
    spreads = [found.stop, found.first_token, found.share]
    totals = [each for each in astuple(found) if not (isinstance(each, tuple) or _of_money(each))]
    percentiles = [spread.percentile(percent) for spread in spreads for percent in (5, 50, 95, 99)]
    percentiles = [value and round(value, 6) for value in percentiles]
    return [*totals, *percentiles, sorted(found.spent.items()), sorted(found.not_spent.items())]


def _of_money(each):
    return isinstance(each, dict) and Decimal in map(type, each.values())


def test_later_changes_are_rolled_up_again(model, some):
    roll_up_all()
    old = [row for row in some if row.requested_at < NOW - timedelta(days=2)]
    Generation.objects.filter(pk=old[0].pk).update(cost=Decimal(7), currency="EUR")
    oldest = old[-1]
    Generation.objects.filter(pk=oldest.pk).update(first_token_at=oldest.requested_at + timedelta(minutes=9))
    Generation.objects.filter(pk__in=[row.pk for row in old if row.status != "complete"]).update(reviewed_at=NOW)
    old[1].delete()
    waiting = Selection(conditions=(Condition("model", (model,)), Condition("reviewed", (False,))))
    for _ in range(2):  # noted, then rolled up again
        assert comparable(summarize(for_model(model))) == comparable(by_rows(for_model(model)))
        assert summarize(waiting).count == Generation.objects.filter(model=model, reviewed_at=None).count()
        roll_up_all()


def test_generation_in_a_rolled_up_hour_may_still_end(model, store_one):
    started = store_one(status="streaming", at=NOW - timedelta(days=3))
    roll_up_all()
    assert summarize(for_model(model)).statuses == {"streaming": 1}
    Generation.objects.filter(pk=started.pk).update(status="complete", end_reason="finished", ended_at=NOW)
    assert summarize(for_model(model)).statuses == {"complete": 1}
    roll_up_all()
    assert summarize(for_model(model)).statuses == {"complete": 1}


def test_ordinary_generations_leave_no_note(model, store_one):
    made = store_one(status="streaming", at=datetime.now(UTC))
    Generation.objects.filter(pk=made.pk).update(status="complete", end_reason="finished", ended_at=NOW)
    assert not SummaryChange.objects.filter(at=made.requested_at).exists()


def test_clock_skew_gives_no_negative_times(model, store_one):
    store_one("stopped", "interrupted", first=-500, stop=-30)
    found = summarize(for_model(model))
    assert (found.first_token.percentile(50), found.stop.percentile(99)) == (0, 0)


def test_single_generation_is_every_percentile(model, store_one):
    store_one("stopped", "interrupted", first=1234, stop=237)
    found = summarize(for_model(model))
    assert [found.stop.percentile(percent) for percent in (50, 95, 99)] == [237] * 3
    assert found.first_token.percentile(50) == 1234


def test_percentiles_of_few_values_are_exact():
    spread = Histogram()
    for value in (3, 3, 9, 700):
        spread.add(value, 1, value)
    assert [spread.percentile(percent) for percent in (0, 50, 75, 76, 100)] == [3, 3, 9, 700, 700]
    assert Histogram().percentile(50) is None


def test_slow_summary_times_out_with_a_message(monkeypatch, store_one):
    store_one()
    monkeypatch.setattr(figures, "SUMMARY_TIMEOUT", 0.05)
    with pytest.raises(SummaryTimeout):
        summarize(Selection(rows=("SELECT id FROM conversations_generation, pg_sleep(5)", ())))
    page = render_to_string("admin/conversations/generation/_summary.html", {"overview": Overview(None)})
    assert "The summary timed out." in page


# The page


def shown(staff, query):
    """The words of the summary for this query."""
    page = staff.get(f"{LIST}?{query}")
    assert page.status == 200, page.location
    begin = page.html.index('<section class="summary"')
    return people.words(page.html[begin : page.html.index("object-tools", begin)])


def test_summary_appears_above_the_list(staff, model, store_one):
    for tokens in (100, 200, 400):
        store_one(tokens_out=tokens, tokens_in=1000, first=250, cost=Decimal("1.5"), currency="EUR")
    store_one("stopped", "interrupted", tokens_out=50, stop=12, price_out=Decimal(1000), currency="EUR")
    words = shown(staff, f"model={model}")
    for said in (
        "Generations 4 75 % complete 25 % interrupted",
        "p50 12 ms p95 12 ms p99 12 ms of 1 stop ",
        "First token p50 250 ms p95 250 ms",
        "≈ 25 %",
        "4.50 EUR 3,000 tokens in, 750 out",
        "≈ 0.1500 EUR ≈ 150 tokens. An estimate",
        "Stopped interrupted 1 25 %",
    ):
        assert said in words, words
    assert "by hour" in words


FILTERS = {
    "": 4,
    "&status__exact=interrupted": 2,
    "&end_reason__exact=left": 1,
    "&review=needed": 1,
    "&review=done": 1,
    "&kind__exact=reply&endpoint=bees.example": 4,
    "&person={person}": 4,
    "&person=nobody-at-all": 0,
    "&q={person}": 4,
    "&q=100%25": 0,
    "&since={today}": 3,
    "&until={yesterday}": 1,
    "&since={today}&until={today}&person={person}": 3,
    "&status__exact=complete&o=-1&p=1": 1,
    "&status__exact=nonsense": 0,
    "&requested_at__gte=2999-01-01": 0,
}


def test_summary_follows_the_list_filters(staff, alice, model, store_one):
    today = datetime.now(UTC).replace(hour=0, minute=0, second=1)
    store_one(at=today)
    store_one("stopped", "interrupted", at=today)
    store_one("left", "interrupted", at=today, reviewed_at=NOW)
    store_one("timed_out", "error", at=today - timedelta(days=9))
    days = {"today": f"{today:%Y-%m-%d}", "yesterday": f"{today - timedelta(days=1):%Y-%m-%d}"}
    for query, count in FILTERS.items():
        words = shown(staff, f"model={model}{query.format(person=alice.user.username, **days)}")
        assert (f"Generations {count} " in words) if count else ("none." in words), (query, words)


@pytest.mark.parametrize("query", ["since=tomorrow", "review=perhaps", "person=%00", "nonsense=1", "since=9999-12-31"])
def test_invalid_filter_is_not_an_error(staff, query):
    page = staff.get(f"{LIST}?{query}")
    assert page.status in (200, 302)
    if page.status == 302:
        assert "Summary" in staff.get(page.location).text


def test_staff_without_the_permission_see_no_summary(server, model, store_one):
    store_one()
    clerk = people.new_person("clerk", server, is_staff=True)
    page = clerk.get(f"{LIST}?model={model}")
    assert page.status == 403
    assert "summary" not in page.html


def test_summary_needs_no_inline_style(staff, model, store_one):
    store_one()
    html = staff.get(f"{LIST}?model={model}").html
    begin = html.index('<section class="summary"')
    assert "style=" not in html[begin : html.index("object-tools", begin)]


def test_summary_has_no_axe_violations_in_light_and_dark(browser, server, staff, model, store_one):
    from axe_playwright_python.sync_playwright import Axe

    from tests.support.browser.chat import sign_in_browser

    for day in range(5):
        store_one(at=NOW - timedelta(days=day), tokens_out=100, first=200)
        store_one("stopped", "interrupted", at=NOW - timedelta(days=day), tokens_out=50, stop=3)
        store_one("timed_out", "error", at=NOW - timedelta(days=day))
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        sign_in_browser(context, staff)
        page = context.new_page()
        page.goto(f"{server.url}{LIST}?model={model}")
        page.locator(".summary summary").click()
        assert page.locator(".chart rect").count() == 15
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, context=".summary").response["violations"]
            assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.querySelector('.summary').scrollWidth") <= 360
    finally:
        context.close()
