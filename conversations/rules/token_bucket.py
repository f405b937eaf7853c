"""A token bucket: allows short bursts and limits the rate in the long run. Times are seconds of a monotonic clock,
passed in by the caller."""


class TokenBucket:
    """Gains `rate` tokens a second and holds up to `burst`; starts full."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = float(burst)
        self._filled_at = now

    def take(self, now: float, *, leave: float = 0) -> bool:
        """Take one token. Return False, and take none, if fewer than `leave` tokens would remain."""
        self._fill(now)
        if self._tokens < 1 + leave:
            return False
        self._tokens -= 1
        return True

    def seconds_to_wait(self, now: float) -> float:
        """Return the seconds until there is a token; 0 if there is one now."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self.rate)

    def is_full(self, now: float) -> bool:
        """Return whether nothing was taken recently, so that the bucket can be forgotten."""
        self._fill(now)
        return self._tokens >= self.burst

    def _fill(self, now: float) -> None:
        self._tokens = min(self.burst, self._tokens + max(0.0, now - self._filled_at) * self.rate)
        self._filled_at = now
