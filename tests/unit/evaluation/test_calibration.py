"""Calibration, against scikit-learn, by hand and by simulation."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from vigie.evaluation.calibration import reliability
from vigie.evaluation.intervals import wilson


def test_bins_are_scikit_learns() -> None:
    """Without ties the bins of equal counts agree with calibration_curve."""
    rng = np.random.default_rng(1)
    proba = rng.beta(2, 5, 997)
    happened = rng.uniform(size=997) < proba
    came_true, said = calibration_curve(happened, proba, n_bins=10, strategy="quantile")
    found = reliability(happened, proba, n_bins=10)
    np.testing.assert_allclose([item.said for item in found.bins], said)
    np.testing.assert_allclose([item.came_true for item in found.bins], came_true)
    assert sum(item.n for item in found.bins) == found.n == 997


def test_the_error_by_hand() -> None:
    """Ten rows said 0.2 of which four came, ten said 0.8 of which eight came: half of a gap of 0.2."""
    proba = np.repeat([0.2, 0.8], 10)
    happened = np.array([True] * 4 + [False] * 6 + [True] * 8 + [False] * 2)
    found = reliability(happened, proba, n_bins=2)
    assert found.error == pytest.approx(0.1)
    assert found.bins[0].interval == wilson(4, 10)


def test_the_chance_level_is_what_right_probabilities_get() -> None:
    """Over redraws of outcomes from their own probabilities, the mean error is the stated chance level."""
    rng = np.random.default_rng(2)
    proba = rng.beta(2, 4, 2_000)
    found = [reliability(rng.uniform(size=2_000) < proba, proba, n_bins=10) for _ in range(200)]
    assert np.mean([item.error for item in found]) == pytest.approx(found[0].error_by_chance, rel=0.05)


def test_equal_probabilities_share_a_bin() -> None:
    """A model that always says the same has one bin."""
    found = reliability(np.array([True, False, False, False]), np.full(4, 0.25), n_bins=10)
    assert len(found.bins) == 1
    assert found.error == 0.0


def test_no_row_is_a_mistake_of_the_caller() -> None:
    """Nothing to compare is refused."""
    with pytest.raises(ValueError, match="at least one"):
        reliability(np.array([], dtype=bool), np.array([]), n_bins=10)


def test_the_interval_of_the_error_covers_it() -> None:
    """Probabilities that are 0.1 too high: at least 95 of 100 intervals hold 0.1, and few of them hold zero."""
    rng = np.random.default_rng(6)
    found = []
    for _ in range(200):
        proba = rng.uniform(0.2, 0.9, 2_000)
        found.append(reliability(rng.uniform(size=2_000) < proba - 0.1, proba, n_bins=10).interval)
    assert np.mean([item.low <= 0.1 <= item.high for item in found]) >= 0.95
    assert np.mean([item.low > 0 for item in found]) > 0.9


def test_the_interval_of_a_right_model_begins_at_zero() -> None:
    """Nothing but chance: at least 95 of 100 intervals hold zero."""
    rng = np.random.default_rng(7)
    proba = rng.beta(2, 4, 1_000)
    found = [reliability(rng.uniform(size=1_000) < proba, proba, n_bins=10).interval.low for _ in range(200)]
    assert np.mean(np.array(found) == 0) >= 0.95
