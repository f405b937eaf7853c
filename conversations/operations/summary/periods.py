"""Hours, days and months of UTC. The database gives times in UTC, whatever `TIME_ZONE` is."""

from datetime import UTC, datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

START_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def hour_start(at: datetime) -> datetime:
    """The start of the hour that contains `at`."""
    return at.replace(minute=0, second=0, microsecond=0)


def day_start(at: datetime) -> datetime:
    """The midnight before `at`."""
    return hour_start(at).replace(hour=0)


def month_start(at: datetime) -> datetime:
    """The first midnight of the month that contains `at`."""
    return day_start(at).replace(day=1)


def next_month(begin: datetime) -> datetime:
    """The start of the month after the one that starts at `begin`."""
    return month_start(begin + 31 * DAY)
