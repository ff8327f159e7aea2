"""Kolmogorov-Smirnov: the largest gap between two distribution functions."""

from math import sqrt

import numpy as np
from scipy.special import kolmogorov
from scipy.stats import kstwo

from vigie.errors import InsufficientDataError

_EXACT_ROWS = 500


def kolmogorov_smirnov(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the largest gap between two distribution functions, looked at where the cells end.

    Args:
        reference: counts per cell in ascending order, shape (n_cells,), at least one above zero.
        current: counts on the same cells, shape (n_cells,).

    Returns:
        A value in [0, 1]: at most the exact statistic, and less than it by at most the heaviest cell's share (1/256
        for a numeric column's grid, 0 where every distinct value has a cell).

    Raises:
        InsufficientDataError: either sample is empty.
    """
    n, m = current.sum(), reference.sum()
    if n == 0 or m == 0:
        raise InsufficientDataError("A Kolmogorov-Smirnov distance", needed=1, found=0)
    return float(np.abs(np.cumsum(current) / n - np.cumsum(reference) / m).max())


def kolmogorov_smirnov_p(distance: float, n: int, m: int) -> float:
    """Return how often samples of these sizes are at least so far apart without drift.

    Args:
        distance: the statistic, in [0, 1].
        n: rows of one sample, at least 1.
        m: rows of the other, at least 1.

    Returns:
        The asymptotic p-value; too large where values repeat.

    Source:
        Hodges (1958), The significance probability of the Smirnov two-sample test, by way of the one-sample
        distribution at n*m/(n+m) rows, as scipy's ``ks_2samp`` does. Beyond 500 rows that one by Kolmogorov's limit
        with the correction of Vrbik (2018), Small-sample corrections to Kolmogorov-Smirnov test statistic: within 5e-5
        of the exact value, which takes 70 ms for each drifted column of 100,000 rows.
    """
    effective = max(1, round(n * m / (n + m)))
    if effective <= _EXACT_ROWS:
        return float(kstwo.sf(distance, effective))
    root = sqrt(effective)
    scaled = distance * root
    return float(kolmogorov(scaled + 1 / (6 * root) + (scaled - 1) / (4 * effective)))
