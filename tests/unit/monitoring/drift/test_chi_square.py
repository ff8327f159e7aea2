"""Chi-square of homogeneity, against scipy."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ncx2

from vigie.errors import InsufficientDataError
from vigie.monitoring.drift.chi_square import chi_square, chi_square_limit, chi_square_p


def test_statistic_of_a_table_worked_by_hand():
    """20, 30 against 30, 20: expected 25 everywhere, hence 4 * 25 / 25 = 4."""
    assert chi_square(np.array([20, 30]), np.array([30, 20])) == (pytest.approx(4.0), 1)


def test_statistic_and_p_value_are_scipys():
    """Same value, degrees and p-value as scipy's contingency table."""
    reference, current = np.array([120, 40, 310, 5, 77]), np.array([70, 31, 190, 9, 30])
    statistic, degrees = chi_square(reference, current)
    expected = chi2_contingency(np.vstack([reference, current]), correction=False)
    assert (statistic, degrees) == (pytest.approx(expected.statistic, rel=1e-12), expected.dof)
    assert chi_square_p(statistic, degrees) == pytest.approx(expected.pvalue, rel=1e-9)


def test_cells_empty_on_both_sides_do_not_count():
    """An empty cell neither adds to the statistic nor to the degrees."""
    assert chi_square(np.array([20, 0, 30]), np.array([30, 0, 20])) == (pytest.approx(4.0), 1)


def test_a_single_cell_says_nothing():
    """One cell: statistic 0, no degrees, p-value 1."""
    statistic, degrees = chi_square(np.array([20]), np.array([30]))
    assert (statistic, degrees, chi_square_p(statistic, degrees)) == (0.0, 0, 1.0)


@pytest.mark.parametrize("noncentrality", [0.0, 26.7, 2000.0])
@pytest.mark.parametrize("alpha", [0.05, 1e-5, 1e-12])
def test_limit_is_exceeded_with_the_stated_probability(alpha, noncentrality):
    """The limit's upper tail is alpha, far out too (the central case is the limit of the noncentral one)."""
    limit = chi_square_limit(alpha, 9, noncentrality)
    assert ncx2.sf(limit, 9, max(noncentrality, 1e-12)) == pytest.approx(alpha, rel=1e-6)


def test_an_empty_sample_has_no_statistic():
    """An empty side is refused."""
    with pytest.raises(InsufficientDataError):
        chi_square(np.array([1, 2]), np.array([0, 0]))
