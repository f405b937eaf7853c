"""Days begin and end at midnight in the person's time zone, which the browser reports."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.models import Generation
from conversations.people import time_zone_middleware
from conversations.web import monthly_usage, sidebar
from tests.support.conversations import conversation
from tests.support.sidebar import groups

LOS_ANGELES = "America/Los_Angeles"  # UTC-7 in June
AUCKLAND = "Pacific/Auckland"  # UTC+12 in June


def shown(person, at, zone):
    """The label above a conversation that was last active at `at`, for a browser in that zone."""
    conversation(person, ago=timezone.now() - at)
    return groups(person.get("/", Cookie=f"{person.cookie}; timezone={zone}").html)[0][0]


@pytest.fixture
def clock(monkeypatch):
    """Set the clock of this process."""
    return lambda *at: monkeypatch.setattr(timezone, "now", lambda: datetime(*at, tzinfo=UTC))


def label(at, zone):
    with timezone.override(ZoneInfo(zone)):
        return sidebar._label(at)


@pytest.mark.parametrize(
    ("zone", "hour", "minute", "today"),
    [
        (LOS_ANGELES, 6, 59, False),  # 23:59 of the day before
        (LOS_ANGELES, 7, 0, True),
        (LOS_ANGELES, 23, 30, True),  # half past four in the afternoon
        ("UTC", 0, 0, True),
    ],
)
def test_today_begins_at_midnight_in_the_persons_zone(clock, zone, hour, minute, today):
    clock(2026, 6, 10, 23, 59)
    assert label(datetime(2026, 6, 10, hour, minute, tzinfo=UTC), zone) == ("Today" if today else "Yesterday")


def test_day_ends_at_midnight_in_the_persons_zone(clock):
    half_past_three = datetime(2026, 6, 10, 22, 30, tzinfo=UTC)
    clock(2026, 6, 11, 6, 59)
    assert label(half_past_three, LOS_ANGELES) == "Today"
    clock(2026, 6, 11, 7, 0)
    assert label(half_past_three, LOS_ANGELES) == "Yesterday"


def test_month_is_that_of_the_persons_zone(alice, clock):
    clock(2026, 6, 1, 6, 0)
    begun = {}
    for zone in (LOS_ANGELES, "UTC", AUCKLAND):
        with timezone.override(ZoneInfo(zone)):
            begun[zone] = monthly_usage.this_month(alice.user).since.astimezone(UTC)
    assert begun == {
        LOS_ANGELES: datetime(2026, 5, 1, 7, tzinfo=UTC),
        "UTC": datetime(2026, 6, 1, tzinfo=UTC),
        AUCKLAND: datetime(2026, 5, 31, 12, tzinfo=UTC),
    }
    assert not Generation.objects.filter(requested_by_id=alice.user.pk).exists()


# The extreme time zones are 26 hours apart, so at any time one of them has a different date than UTC.


def test_pages_use_the_zone_in_the_cookie(alice):
    now = timezone.now()
    zone, there = _where_it_is_another_day(now)
    midnight = datetime.combine(there, datetime.min.time(), ZoneInfo(zone))
    assert shown(alice, midnight + timedelta(seconds=1), zone) == "Today"


def test_before_midnight_in_the_zone_of_the_cookie_it_is_yesterday(alice):
    zone, there = _where_it_is_another_day(timezone.now())
    midnight = datetime.combine(there, datetime.min.time(), ZoneInfo(zone))
    assert shown(alice, midnight - timedelta(seconds=1), zone) == "Yesterday"


def _where_it_is_another_day(now):
    for zone in ("Etc/GMT+12", "Pacific/Kiritimati"):
        there = timezone.localdate(now, ZoneInfo(zone))
        if there != now.astimezone(UTC).date():
            return zone, there
    raise AssertionError(now)


# Values of the cookie


@settings(deadline=None)  # the first lookup reads the list of zones from disk
@given(
    st.text() | st.sampled_from(["", "/etc/passwd", "../zone.tab", "posix", "Europe", "x" * 5000, "Europe/Berlin\0"])
)
def test_invalid_zone_is_ignored(name):
    found = time_zone_middleware.zone_named(name)
    assert found is None or found.key == name


@pytest.mark.parametrize("zone", ["", "Nowhere/Nothing", "../../etc/passwd", "%00", "é"])
def test_invalid_cookie_changes_nothing(alice, zone):
    conversation(alice)
    assert alice.request("GET", "/", headers={"Cookie": f"{alice.cookie}; timezone={zone}".encode()}).status == 200


@pytest.mark.parametrize(("path", "zone"), [("/", LOS_ANGELES), ("/admin/conversations/generation/", "UTC")])
def test_admin_uses_the_servers_zone(path, zone):
    seen = []

    def view(request):
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    request = RequestFactory().get(path)
    request.COOKIES["timezone"] = LOS_ANGELES
    with timezone.override(None):
        time_zone_middleware.middleware(view)(request)
        timezone.deactivate()
    assert seen == [zone]
