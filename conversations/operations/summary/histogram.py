"""A histogram of measured values. See `cells` for how values fall into buckets."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Histogram:
    """`buckets` maps a bucket to (number of values, their sum)."""

    buckets: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, bucket: int, count: int, total: float) -> None:
        """Add `count` values whose sum is `total`."""
        count_before, total_before = self.buckets.get(bucket, (0, 0.0))
        self.buckets[bucket] = (count_before + count, total_before + total)

    @property
    def count(self) -> int:
        return sum(count for count, _total in self.buckets.values())

    def percentile(self, percent: float) -> float | None:
        """The mean of the bucket that contains this percentile (nearest rank); None without values."""
        rank = percent / 100 * self.count
        passed = 0
        for _bucket, (count, total) in sorted(self.buckets.items()):
            passed += count
            if passed >= rank:
                return total / count
        return None
