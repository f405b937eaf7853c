"""Pre-aggregated counts for the admin's summary, so that it need not read millions of generations.

Only `operations.summary.rollup` writes them, and triggers that note the times of changed rows.
"""

from django.db import models


class SummaryCell(models.Model):
    """Generations of one hour, day or month of UTC that share all these values: see `operations.summary.cells`."""

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
    """A generation of this time changed after its hour or day was rolled up.

    Each change has a row of its own, so a change that commits during a roll-up is not lost.
    """

    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.at)


class SummaryState(models.Model):
    """The only row contains the watermarks: the times up to which cells of months, days and hours exist."""

    months_until = models.DateTimeField()
    days_until = models.DateTimeField()
    hours_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"months until {self.months_until}, days until {self.days_until}, hours until {self.hours_until}"
