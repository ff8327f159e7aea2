"""Whether two models really differ: compared on the same rows, so that what is hard for both cancels out."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from vigie.domain.measurement import Interval

_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much lower the second model's mean loss is than the first's.

    Attributes:
        mean: first minus second; above zero the second is better.
        interval: two-sided, by a paired bootstrap of the rows.
        n: rows compared.
        n_needed: rows at which a true difference of ``mean`` would show with 80 % power; None when mean is not
            above zero or every row differs alike.
    """

    mean: float
    interval: Interval
    n: int
    n_needed: int | None


def paired_difference(
    first: np.ndarray, second: np.ndarray, *, rng: np.random.Generator, level: float = 0.9, repeats: int = 2000
) -> PairedDifference:
    """Compare per-row losses of two models on the same rows.

    Args:
        first: losses of the model in place, shape (n,).
        second: losses of the model that wants its place, shape (n,), same rows in the same order.
        rng: source of the bootstrap.
        level: of the two-sided interval; 0.9 makes its lower end a one-sided 5 % test.
        repeats: bootstrap samples.

    Raises:
        ValueError: shapes differ or there is no row.

    Source:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 13 (percentile interval).
    """
    if first.shape != second.shape or len(first) == 0:
        raise ValueError("paired losses need the same rows, at least one")
    differences = np.asarray(first - second, dtype=np.float64)
    n, mean = len(differences), float(differences.mean())
    means = _bootstrap_means(differences, rng, repeats)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    deviation = float(differences.std(ddof=1)) if n > 1 else 0.0
    needed = None
    if mean > 0 and deviation > 0:
        z = float(norm.ppf((1 + level) / 2) + norm.ppf(0.8))
        needed = int(np.ceil((z * deviation / mean) ** 2))
    return PairedDifference(mean, Interval(float(low), float(high), level), n, needed)


def _bootstrap_means(values: np.ndarray, rng: np.random.Generator, repeats: int) -> np.ndarray:
    n, done = len(values), 0
    means = np.empty(repeats)
    while done < repeats:
        size = min(repeats - done, max(1, _CHUNK // n))
        means[done : done + size] = values[rng.integers(0, n, size=(size, n))].mean(axis=1)
        done += size
    return means
