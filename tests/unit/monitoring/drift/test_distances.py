"""G, Jensen-Shannon and Wasserstein against scipy, which sees the rows that they only see counted."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, wasserstein_distance

from vigie.errors import InsufficientDataError
from vigie.monitoring.columns import numeric_column
from vigie.monitoring.drift.g_test import g_statistic
from vigie.monitoring.drift.jensen_shannon import jensen_shannon
from vigie.monitoring.drift.wasserstein import CellSums, wasserstein


def _moved(reference, window):
    column = numeric_column("x", reference)
    counts = column.count(window)
    own = column.counts
    return wasserstein(CellSums(own.cells, own.sums), CellSums(counts.cells, counts.sums), column.edges - column.mean)


def test_g_is_scipys():
    """The log-likelihood form of the homogeneity test, empty cells included."""
    reference, current = np.array([50, 30, 0, 20]), np.array([10, 0, 3, 7])
    expected = chi2_contingency(np.vstack([reference, current]), correction=False, lambda_="log-likelihood").statistic
    assert g_statistic(reference, current) == pytest.approx(expected, abs=1e-9)


def test_jensen_shannon_is_scipys():
    """In bits, so that samples without a bin in common are at distance 1."""
    reference, current = np.array([50, 30, 0, 20]), np.array([10, 0, 3, 7])
    assert jensen_shannon(reference, current) == pytest.approx(jensenshannon(reference, current, base=2), abs=1e-12)
    assert jensen_shannon(np.array([3, 0]), np.array([0, 5])) == pytest.approx(1.0)


@pytest.mark.parametrize("shift", [0.1, 0.5, 3.0])
def test_a_shift_moves_values_by_as_much(shift):
    """Within one part in a hundred of scipy's distance, and never above it."""
    rng = np.random.default_rng(1)
    reference, window = rng.normal(100, 1, 20_000), rng.normal(100 + shift, 1, 5_000)
    exact = wasserstein_distance(reference, window)
    assert 0.99 * exact <= _moved(reference, window) <= exact * (1 + 1e-9)


def test_a_wider_window_moves_values_both_ways():
    """Areas of both signs are added, not cancelled."""
    rng = np.random.default_rng(2)
    reference, window = rng.normal(0, 1, 20_000), rng.normal(0, 2, 5_000)
    assert _moved(reference, window) == pytest.approx(wasserstein_distance(reference, window), rel=0.02)


def test_integers_are_exact():
    """Where every value ends a cell, nothing is lost."""
    rng = np.random.default_rng(3)
    reference, window = rng.poisson(3, 5_000).astype(float), rng.poisson(4, 900).astype(float)
    inside = window[window <= reference.max()]
    assert _moved(reference, inside) == pytest.approx(wasserstein_distance(reference, inside), abs=1e-12)


@pytest.mark.parametrize("statistic", [g_statistic, jensen_shannon])
def test_an_empty_sample_has_no_distance(statistic):
    """An empty side is refused."""
    with pytest.raises(InsufficientDataError):
        statistic(np.array([1, 2]), np.array([0, 0]))


def test_an_empty_window_has_not_moved():
    """Nor has nothing: it is refused."""
    with pytest.raises(InsufficientDataError):
        _moved(np.arange(10.0), np.empty(0))
