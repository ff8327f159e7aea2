"""Chi-square of homogeneity: whether two samples share their proportions, exactly or up to a margin."""

from functools import lru_cache

import numpy as np
from scipy.special import chdtrc, chdtri
from scipy.stats import ncx2

from vigie.errors import InsufficientDataError


def chi_square(reference: np.ndarray, current: np.ndarray) -> tuple[float, int]:
    """Return the homogeneity statistic of two samples and its degrees of freedom.

    Args:
        reference: counts per cell, shape (n_cells,), at least one above zero.
        current: counts on the same cells, shape (n_cells,).

    Returns:
        ``(statistic, degrees)``; cells that are empty in both samples are left out, and a single cell gives (0, 0).

    Raises:
        InsufficientDataError: either sample is empty.

    Source:
        Pearson (1911), On the probability that two independent distributions of frequency are really samples from
        the same population.
    """
    n, m = float(current.sum()), float(reference.sum())
    if n == 0 or m == 0:
        raise InsufficientDataError("A chi-square", needed=1, found=0)
    pooled = reference + current
    used = pooled > 0
    gap = current[used] / n - reference[used] / m
    statistic = n * m / (n + m) * float(np.sum(gap**2 / (pooled[used] / (n + m))))
    return statistic, int(used.sum()) - 1


def chi_square_p(statistic: float, degrees: int) -> float:
    """Return how often the statistic is at least so large without drift; 1 when there is a single cell."""
    return float(chdtrc(degrees, statistic)) if degrees > 0 else 1.0


@lru_cache(maxsize=4096)  # a millisecond each, and the columns of a table ask for few different ones
def chi_square_limit(alpha: float, degrees: int, noncentrality: float = 0.0) -> float:
    """Return what the statistic exceeds with probability ``alpha``.

    Args:
        alpha: in (0, 1).
        degrees: at least 1.
        noncentrality: 0 for "nothing changed"; ``N * tau`` for "the change is at most tau", with N = n*m/(n+m) and
            tau a stability index.

    Source:
        Patnaik (1949), The non-central chi-square and F-distributions and their applications.
    """
    if noncentrality == 0.0:
        return float(chdtri(degrees, alpha))
    return float(ncx2.isf(alpha, degrees, noncentrality))
