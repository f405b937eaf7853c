"""A token bucket: so much at once, and so much a second in the long run. No I/O; times are seconds of a monotonic
clock, passed in."""


class TokenBucket:
    """`rate` tokens a second come in, up to `burst`; full at the beginning."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._left = float(burst)
        self._at = now

    def take(self, now: float, *, leave: float = 0) -> bool:
        """Take a token; False if that would leave fewer than `leave`."""
        self._fill(now)
        if self._left < 1 + leave:
            return False
        self._left -= 1
        return True

    def seconds_to_wait(self, now: float) -> float:
        """Seconds until there is a token."""
        self._fill(now)
        return max(0.0, (1 - self._left) / self.rate)

    def is_full(self, now: float) -> bool:
        self._fill(now)
        return self._left >= self.burst

    def _fill(self, now: float) -> None:
        self._left = min(self.burst, self._left + max(0.0, now - self._at) * self.rate)
        self._at = now
