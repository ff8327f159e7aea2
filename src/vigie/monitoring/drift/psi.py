"""Population stability index: the number people know, with its small-sample bias taken off beside it."""

from typing import NamedTuple

import numpy as np
from scipy.special import chndtrinc

from vigie.domain.measurement import Interval
from vigie.errors import InsufficientDataError

WATCH = 0.1
"""From here the classical bands say "watch"."""

SHIFTED = 0.2
"""Beyond this they say "investigate or retrain"."""


class Samples(NamedTuple):
    """What an index was computed from: bins, rows of the window, rows of the reference, at least one of each."""

    n_bins: int
    n: int
    m: int


def population_stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Return how far two binned samples are apart, in nats.

    One row is added to every bin of both samples, so that an empty bin does not make the index infinite; this pulls
    small samples towards each other a little.

    Args:
        reference: counts per bin, shape (n_bins,), at least one above zero.
        current: counts on the same bins, shape (n_bins,).

    Returns:
        A value in [0, inf); 0 when the smoothed proportions are equal.

    Raises:
        InsufficientDataError: either sample is empty.

    Source:
        Yurdakul (2018), Statistical Properties of Population Stability Index, ch. 2.
    """
    _require_rows(reference, current)
    n_bins = len(reference)
    r = (reference + 1.0) / (reference.sum() + n_bins)
    p = (current + 1.0) / (current.sum() + n_bins)
    return float(np.sum((p - r) * np.log(p / r)))


def corrected_stability_index(index: float, samples: Samples) -> float:
    """Return the index minus what two samples of these sizes show when nothing has changed.

    Args:
        index: the plain one, from ``population_stability_index``.
        samples: what it was computed from.

    Returns:
        About 0 without drift, below 0 about half of the time then.

    Source:
        Yurdakul (2018), ch. 3: without drift the index is about (1/n + 1/m) times a chi-square of n_bins - 1 degrees.
    """
    return index - (samples.n_bins - 1) * (1 / samples.n + 1 / samples.m)


def stability_interval(index: float, samples: Samples, *, level: float) -> Interval:
    """Return an interval of the index of the two populations, were every row of them known.

    Args:
        index: the plain one, from ``population_stability_index``.
        samples: what it was computed from, of two bins at least.
        level: share of repetitions that would cover the truth, in (0, 1).

    Returns:
        Both ends at least 0, the lower one 0 where no change at all would show as much. Rests on the chi-square
        approximation, and so on a handful of rows in every bin.

    Source:
        With N = n*m/(n+m), N times the index is about a noncentral chi-square of n_bins - 1 degrees at N times the true
        one (Yurdakul 2018, ch. 3, for small differences); inverted as in Kent and Hainsworth (1995), Confidence
        intervals for the noncentral chi-squared distribution.
    """
    n, m = float(samples.n), float(samples.m)
    effective, degrees = n * m / (n + m), samples.n_bins - 1
    tail = (1 - level) / 2
    low, high = (float(chndtrinc(effective * index, degrees, share)) for share in (1 - tail, tail))
    return Interval(_known(low) / effective, _known(high) / effective, level)


def _known(noncentrality: float) -> float:
    """Return what scipy's search found; at its lower end it says next to nothing, or NaN: no change is likelier."""
    return noncentrality if noncentrality > np.finfo(np.float64).tiny else 0.0


def stability_band(index: float) -> str:
    """Return what the classical bands call an index. A reading aid: no rule of Vigie looks at it."""
    if index < WATCH:
        return "stable"
    return "watch" if index <= SHIFTED else "shifted"


def _require_rows(reference: np.ndarray, current: np.ndarray) -> None:
    if reference.sum() == 0 or current.sum() == 0:
        raise InsufficientDataError("A stability index", needed=1, found=0)
