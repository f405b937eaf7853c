"""What the summary of runs is added up from, so that a million of them need not be read each time.

`conversations.operations.summary.rollup` keeps it. Besides it, only the triggers that note changed moments write here.
"""

from django.db import models


class SummaryCell(models.Model):
    """Runs of one hour (of recent ones), day or month of UTC that have all of this in common, and one measured value
    about alike: see `conversations.operations.summary.cells`."""

    span = models.SmallIntegerField()
    since = models.DateTimeField()
    model = models.CharField(max_length=200)
    endpoint = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    status = models.CharField(max_length=12)
    end_reason = models.CharField(max_length=24)
    reviewed = models.BooleanField()
    currency = models.CharField(max_length=3)
    price_out = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    measure = models.SmallIntegerField()
    bucket = models.SmallIntegerField()
    runs = models.IntegerField()
    total = models.BigIntegerField()
    tokens_in = models.BigIntegerField(null=True)
    tokens_out = models.BigIntegerField(null=True)
    cost = models.DecimalField(max_digits=20, decimal_places=8, null=True)

    class Meta:
        indexes = [models.Index(fields=["span", "measure", "since"], name="summary_cell_by_time")]

    def __str__(self) -> str:
        return f"{self.runs} × {self.model} {self.status} since {self.since}"


class SummaryChange(models.Model):
    """A run of this moment changed after its hour or day was added up. One row for each change, never shared: so a
    change that commits while its moment is added up again is not lost."""

    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.at)


class SummaryState(models.Model):
    """One row: up to when there are cells of months, of days, and, from then on, of hours."""

    months_until = models.DateTimeField()
    days_until = models.DateTimeField()
    hours_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"months until {self.months_until}, days until {self.days_until}, hours until {self.hours_until}"
