"""Intervals that hold at every look at once: whoever looks each hour and stops at will errs as rarely as stated.

An ordinary interval is right at one look that was chosen beforehand. Looked at again and again, it excludes the truth
one day for sure. The bound here is over the whole path of a sum: it costs about a third more width at the size that it
is tuned for, and grows like the root of a logarithm beyond it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import lambertw

from vigie.domain.measurement import Interval

LEAST_ROWS = 100
"""Rows of either side below which a difference is not told: the bound leans on the central limit theorem."""

_TUNED_AT = 1_000
"""Rows of both sides together at which a difference's interval is the narrowest it can be."""


def bound(variance: np.ndarray, *, alpha: np.ndarray, tuned_at: float) -> np.ndarray:
    """Return what a sum of centred terms ever exceeds with probability ``alpha``, as a function of its variance so far.

    Args:
        variance: of each sum at this look, at least 0, shape (k,); the sum of its terms' variances.
        alpha: probability that the sum is ever above its bound, in (0, 0.5), shape (k,).
        tuned_at: the variance at which the bound should be as low as it can be; above 0, chosen before the terms are
            seen.

    Returns:
        One bound per sum, shape (k,).

    Source:
        Howard, Ramdas, McAuliffe and Sekhon (2021), Time-uniform, nonparametric, nonasymptotic confidence sequences,
        proposition 6 (one-sided normal mixture). With estimated variances it is an asymptotic confidence sequence:
        Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Time-uniform central limit theory, theorem 2.5.
    """
    double = 2 * alpha
    rho = tuned_at / (-lambertw(-np.square(double) / np.e, -1).real - 1)
    inner = np.log1p(np.sqrt((variance + rho) / rho) / double)
    found: np.ndarray = np.sqrt(2 * (variance + rho) * inner)
    return found


@dataclass(frozen=True, slots=True)
class AnytimeDifference:
    """How much lower the mean of the second sample is than that of the first.

    Attributes:
        mean: first minus second.
        interval: holds at every look at once, so that one may stop when it leaves zero out.
        n_first: rows.
        n_second: rows.
    """

    mean: float
    interval: Interval
    n_first: int
    n_second: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "mean": self.mean,
            "interval": self.interval.to_dict(),
            "n_first": self.n_first,
            "n_second": self.n_second,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One side of a comparison.

    Attributes:
        values: one per row, shape (n,).
        units: whom each row is about, shape (n,), any hashable text or number: rows of one unit are not independent.
            None where every row stands alone.
    """

    values: np.ndarray
    units: np.ndarray | None = None


def anytime_difference(first: Sample, second: Sample, *, level: float) -> AnytimeDifference | None:
    """Return the difference of the means of two samples, with an interval that may be looked at again and again.

    Who answered a row must have been chosen at random, in shares that do not change; then the difference is the effect
    of the choice. Losses may be unbounded; their variance must be finite.

    Args:
        first: all rows of one side so far.
        second: all rows of the other.
        level: share of repetitions in which the interval covers the true difference at every look, in (0, 1).

    Returns:
        None when a side has fewer than ``LEAST_ROWS`` independent units.

    Source:
        Waudby-Smith et al. (2024), section 3: the sequence of a randomised experiment, arm means as nuisance; for rows
        that share a unit, the variance of the mean is the cluster-robust one (Liang and Zeger, 1986).
    """
    sides = (first, second)
    n = sum(len(side.values) for side in sides)
    if min(_independent(side) for side in sides) < LEAST_ROWS:
        return None
    mean = float(first.values.mean() - second.values.mean())
    of_mean = sum(_variance_of_mean(side) for side in sides)
    # n times the difference is a sum whose terms, one a row, have the variance n * of_mean on average
    per_row = max(n * of_mean, float(np.finfo(np.float64).tiny))
    alpha = np.array([(1 - level) / 2])
    half = float(bound(np.array([n * per_row]), alpha=alpha, tuned_at=_TUNED_AT * per_row)[0]) / n
    return AnytimeDifference(mean, Interval(mean - half, mean + half, level), len(first.values), len(second.values))


def _independent(side: Sample) -> int:
    return len(side.values) if side.units is None else len(np.unique(side.units))


def _variance_of_mean(side: Sample) -> float:
    n = len(side.values)
    centred = side.values - side.values.mean()
    if side.units is None:
        return float(centred @ centred) / (n * (n - 1))
    _, place = np.unique(side.units, return_inverse=True)
    sums = np.bincount(place, weights=centred)
    return float(sums @ sums) / (n * n) * len(sums) / (len(sums) - 1)
