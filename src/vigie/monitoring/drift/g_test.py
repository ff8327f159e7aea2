"""The G statistic: chi-square's question asked by likelihoods."""

import numpy as np

from vigie.errors import InsufficientDataError


def g_statistic(reference: np.ndarray, current: np.ndarray) -> float:
    """Return twice the log-likelihood ratio of "two distributions" to "one".

    Args:
        reference: counts per cell, shape (n_cells,), at least one above zero.
        current: counts on the same cells, shape (n_cells,).

    Returns:
        A value in [0, inf), without drift about a chi-square of one degree less than there are cells in use.

    Raises:
        InsufficientDataError: either sample is empty.

    Source:
        Wilks (1938), The large-sample distribution of the likelihood ratio for testing composite hypotheses.
    """
    n, m = float(current.sum()), float(reference.sum())
    if n == 0 or m == 0:
        raise InsufficientDataError("A G statistic", needed=1, found=0)
    pooled = (reference + current) / (n + m)
    return 2 * (_likelihood(current, n * pooled) + _likelihood(reference, m * pooled))


def _likelihood(found: np.ndarray, expected: np.ndarray) -> float:
    used = found > 0  # an empty cell adds x * log(x) at 0, which is 0
    return float(np.sum(found[used] * np.log(found[used] / expected[used])))
