"""Jensen-Shannon distance: bounded, symmetric, and defined where one sample has an empty bin."""

import numpy as np

from vigie.errors import InsufficientDataError


def jensen_shannon(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the square root of the Jensen-Shannon divergence in bits.

    Nothing is smoothed. With few rows it is far from 0 without any drift: read it beside the corrected index.

    Args:
        reference: counts per bin, shape (n_bins,), at least one above zero.
        current: counts on the same bins, shape (n_bins,).

    Returns:
        A value in [0, 1]: 0 for equal proportions, 1 when no bin is shared.

    Raises:
        InsufficientDataError: either sample is empty.

    Source:
        Lin (1991), Divergence measures based on the Shannon entropy; Endres and Schindelin (2003), A new metric for
        probability distributions.
    """
    n, m = float(current.sum()), float(reference.sum())
    if n == 0 or m == 0:
        raise InsufficientDataError("A Jensen-Shannon distance", needed=1, found=0)
    p, r = current / n, reference / m
    middle = (p + r) / 2
    divergence = (_divergence(p, middle) + _divergence(r, middle)) / 2
    return float(np.sqrt(max(0.0, divergence)))


def _divergence(p: np.ndarray, middle: np.ndarray) -> float:
    used = p > 0
    return float(np.sum(p[used] * np.log2(p[used] / middle[used])))
