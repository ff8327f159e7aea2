"""How the service does: latency percentiles and throughput of one window."""

import numpy as np
from scipy.stats import binom

from vigie.domain.measurement import Interval, Measurement
from vigie.domain.window import Window
from vigie.evaluation.intervals import LEVEL

PERCENTILES = (50, 95, 99)
"""What is reported of latency."""


def measure_service(latency_us: np.ndarray | None, window: Window, n_predictions: int) -> tuple[Measurement, ...]:
    """Return latency percentiles in ms and predictions per second.

    Args:
        latency_us: microseconds per answer, shape (k,), NaN where it was not taken; None when it never was.
        window: whose length the throughput is taken over.
        n_predictions: answers given in the window.
    """
    known = np.empty(0) if latency_us is None else np.asarray(latency_us, dtype=np.float64)
    ordered_ms = np.sort(known[np.isfinite(known)]) / 1000
    seconds = (window.end - window.start).total_seconds()
    rate = n_predictions / seconds if seconds > 0 else None
    throughput = Measurement(
        "throughput", rate, "1/s", n_predictions, reason="" if seconds > 0 else "The window has no length."
    )
    return (*(_percentile(ordered_ms, percent) for percent in PERCENTILES), throughput)


def _percentile(ordered: np.ndarray, percent: int) -> Measurement:
    """Return one percentile with the distribution-free interval of its rank.

    Source:
        Conover (1999), Practical Nonparametric Statistics, section 3.2: the number of rows under the true quantile is
        binomial. At the ends, where no row bounds the quantile, there is no interval.
    """
    name, n = f"latency_p{percent}", len(ordered)
    if n == 0:
        return Measurement(name, None, "ms", 0, reason="No latency was recorded in this window.")
    share = percent / 100
    value = float(np.quantile(ordered, share))
    low, high = int(binom.ppf((1 - LEVEL) / 2, n, share)), int(binom.ppf((1 + LEVEL) / 2, n, share))
    if low < 1 or high >= n:
        return Measurement(name, value, "ms", n, reason="Too few rows for an interval.")
    return Measurement(name, value, "ms", n, interval=Interval(float(ordered[low - 1]), float(ordered[high]), LEVEL))
