"""Population stability index: the number people know, with its small-sample bias taken off beside it."""

import numpy as np

from vigie.errors import InsufficientDataError

WATCH = 0.1
"""From here the classical bands say "watch"."""

SHIFTED = 0.2
"""Beyond this they say "investigate or retrain"."""


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


def corrected_stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the index minus what two samples of these sizes show when nothing has changed.

    Args:
        reference: counts per bin, shape (n_bins,), at least one above zero.
        current: counts on the same bins, shape (n_bins,).

    Returns:
        About 0 without drift, below 0 about half of the time then.

    Raises:
        InsufficientDataError: either sample is empty.

    Source:
        Yurdakul (2018), ch. 3: without drift the index is about (1/n + 1/m) times a chi-square of n_bins - 1 degrees.
    """
    index = population_stability_index(reference, current)
    return index - (len(reference) - 1) * float(1 / current.sum() + 1 / reference.sum())


def stability_band(index: float) -> str:
    """Return what the classical bands call an index. A reading aid: no rule of Vigie looks at it."""
    if index < WATCH:
        return "stable"
    return "watch" if index <= SHIFTED else "shifted"


def _require_rows(reference: np.ndarray, current: np.ndarray) -> None:
    if reference.sum() == 0 or current.sum() == 0:
        raise InsufficientDataError("A stability index", needed=1, found=0)
