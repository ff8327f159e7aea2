"""Kolmogorov-Smirnov from counts, against scipy on the rows."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, kstwo

from vigie.errors import InsufficientDataError
from vigie.monitoring.columns import numeric_column
from vigie.monitoring.drift.ks import kolmogorov_smirnov, kolmogorov_smirnov_p


def test_distance_of_a_table_worked_by_hand():
    """Cumulated 0.5, 1 against 0.25, 1: the gap is 0.25."""
    assert kolmogorov_smirnov(np.array([2, 2]), np.array([1, 3])) == pytest.approx(0.25)


def test_distance_is_scipys_where_every_value_has_a_cell():
    """On whole numbers nothing is lost by counting, p-value included."""
    rng = np.random.default_rng(5)
    reference, current = rng.poisson(2, 900).astype(float), rng.poisson(2.2, 400).astype(float)
    column = numeric_column("x", reference)
    distance = kolmogorov_smirnov(column.counts.cells, column.count(current).cells)
    exact = ks_2samp(reference, current, method="asymp")
    assert distance == pytest.approx(exact.statistic, abs=1e-12)
    assert kolmogorov_smirnov_p(distance, 400, 900) == pytest.approx(exact.pvalue, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.3, 5.0])
def test_distance_is_near_scipys_on_continuous_values(shift):
    """The grid never overstates the exact distance and understates it by at most one cell's share."""
    rng = np.random.default_rng(6)
    reference, current = rng.lognormal(0, 1, 5000), rng.lognormal(shift, 1, 1000)
    column = numeric_column("x", reference)
    distance = kolmogorov_smirnov(column.counts.cells, column.count(current).cells)
    exact = ks_2samp(reference, current, method="asymp").statistic
    assert exact - (1 / 256 + 1 / 1000) <= distance <= exact + 1e-12


@pytest.mark.parametrize(("n", "m"), [(400, 400), (1_100, 1_100), (10_000, 100_000)])
def test_p_value_is_near_the_exact_one(n, m):
    """Whatever the distance, within 5e-5 of scipy's exact distribution; it never leaves [0, 1] nor grows."""
    effective = round(n * m / (n + m))
    distances = np.array([0.0, 1e-9, 0.2, 0.5, 0.8, 1.2, 1.6, 2.5, 6.0]) / np.sqrt(effective)
    found = [kolmogorov_smirnov_p(float(distance), n, m) for distance in distances]
    assert found == pytest.approx(kstwo.sf(distances, effective), abs=5e-5)
    assert found == sorted(found, reverse=True)
    assert (found[0], min(found)) == (1.0, pytest.approx(0.0, abs=1e-12))


def test_p_value_of_single_rows_is_a_number():
    """The smallest samples do not give NaN."""
    assert kolmogorov_smirnov_p(1.0, 1, 1) == 0.0
    assert kolmogorov_smirnov_p(0.0, 1, 1) == 1.0


def test_an_empty_sample_has_no_distance():
    """An empty side is refused."""
    with pytest.raises(InsufficientDataError):
        kolmogorov_smirnov(np.array([1, 2]), np.array([0, 0]))
