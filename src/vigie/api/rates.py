"""How often a caller may ask: one token bucket each."""

MAX_CALLERS = 10_000
"""Buckets kept. Beyond that the oldest are forgotten: addresses are cheap, memory is not."""


class Buckets:
    """Token buckets that hold one second's worth, at least one token. Used on the event loop only."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, who: str, per_s: float, now_s: float) -> float:
        """Take one token; return how many seconds to wait for it instead, 0 when it was there.

        Args:
            who: whose bucket.
            per_s: tokens that flow in each second, above zero.
            now_s: seconds, of a clock that does not go back.
        """
        most = max(1.0, per_s)
        left, at = self._left.pop(who, (most, now_s))
        left = min(most, left + (now_s - at) * per_s)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / per_s
        self._left[who] = (left if wait else left - 1.0, now_s)  # popped and put back: the first is the longest idle
        if len(self._left) > MAX_CALLERS:
            del self._left[next(iter(self._left))]
        return wait
