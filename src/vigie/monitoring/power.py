"""How many rows it takes to see something: below them "nothing changed" would only mean that nothing could be seen."""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from scipy.stats import ncx2, norm

from vigie.monitoring.drift.chi_square import chi_square_limit
from vigie.monitoring.finite_sample import distribution_noise

SHIFT_SD = 0.5
"""The change that a window must be able to show, in standard deviations."""

POWER = 0.8
"""How often it must show it."""

_DECILES = 10
_MOST_ROWS = 10_000_000


@dataclass(frozen=True, slots=True)
class HomogeneityTest:
    """The chi-square on ten cells.

    Attributes:
        level: of the test.
        psi_margin: change that does not matter.

    Source:
        Its power is that of a noncentral chi-square whose noncentrality is what the statistic would be for the true
        shares (Patnaik 1949), those of a normal column.
    """

    level: float
    psi_margin: float

    def shows(self, n: int, m: int) -> bool:
        """Whether ``n`` rows against ``m`` of reference show half a standard deviation often enough."""
        return _power(n, m, self.level, self.psi_margin) >= POWER


@dataclass(frozen=True, slots=True)
class StrictTest:
    """The strict rule's distance.

    Attributes:
        level: of a window's noise.
        reference_level: of the reference's own noise.
        distance_margin: change that does not matter.
    """

    level: float
    reference_level: float
    distance_margin: float

    def shows(self, n: int, m: int) -> bool:
        """Whether ``n`` rows against ``m`` of reference show half a standard deviation often enough."""
        limit = self.distance_margin + distribution_noise(n, self.level) + distribution_noise(m, self.reference_level)
        middle = SHIFT_SD / 2
        share = float(norm.cdf(middle))
        spread = sqrt(share * (1 - share) * (1 / n + 1 / m))  # where the two functions are farthest apart
        return 2 * share - 1 - float(norm.ppf(POWER)) * spread >= limit


@lru_cache(maxsize=4096)
def rows_needed(test: HomogeneityTest | StrictTest, m: int) -> int | None:
    """Return the smallest window that shows half a standard deviation with 80 % power, against ``m`` rows of reference.

    None where no window is large enough, because the reference is too small or the margin too wide.
    """
    low, high = 0, 1
    while not test.shows(high, m):
        if high >= _MOST_ROWS:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if test.shows(middle, m) else (middle, high)
    return high


@lru_cache(maxsize=4096)
def _power(n: int, m: int, level: float, psi_margin: float) -> float:
    effective, degrees = n * m / (n + m), _DECILES - 1
    limit = chi_square_limit(level, degrees, effective * psi_margin)
    return float(ncx2.sf(limit, degrees, effective * _difference(n, m)))


def _difference(n: int, m: int) -> float:
    """Return the chi-square of half a standard deviation, per effective row, on the deciles of a normal column."""
    inner = norm.ppf(np.arange(1, _DECILES) / _DECILES)
    moved = np.diff(norm.cdf(inner - SHIFT_SD), prepend=0.0, append=1.0)
    expected = np.full(_DECILES, 1 / _DECILES)
    pooled = (n * moved + m * expected) / (n + m)
    return float(np.sum((moved - expected) ** 2 / pooled))
