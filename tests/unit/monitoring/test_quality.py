"""How whole a window's columns are."""

import numpy as np
import pytest
from scipy.stats import binomtest

from vigie.monitoring import columns as columns_module
from vigie.monitoring.columns import category_column, numeric_column
from vigie.monitoring.quality import measure_quality


def _by_name(column, values):
    return {item.name: item for item in measure_quality(column, column.count(np.asarray(values)))}


def test_numeric_shares():
    """Missing of all rows, outside the training range of the known ones, with Wilson's interval."""
    column = numeric_column("x", np.array([0.0, 10.0]))
    found = _by_name(column, [np.nan, -1.0, 5.0, 11.0, np.inf])
    assert (found["missing"].value, found["outside_range"].value) == (0.2, 0.75)
    expected = binomtest(3, 4).proportion_ci(method="wilson")
    interval = found["outside_range"].interval
    assert (interval.low, interval.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_unseen_share():
    """A level that is neither in the rows nor declared is unseen; a declared one is not."""
    column = category_column("k", np.array(["a", "a"], dtype=object), ("b",))
    found = _by_name(column, np.array(["a", "b", "c", None], dtype=object))
    assert (found["missing"].value, found["unseen"].value) == (0.25, pytest.approx(1 / 3))


def test_an_empty_window_has_no_shares():
    """No row: None with a reason, for both kinds."""
    for column, values in (
        (numeric_column("x", np.array([1.0])), np.empty(0)),
        (category_column("k", np.array(["a"], dtype=object)), np.empty(0, dtype=object)),
    ):
        for item in measure_quality(column, column.count(values)):
            assert item.value is None
            assert item.reason


def test_a_reference_without_values_has_no_range():
    """Nothing is inside or outside of an unknown range."""
    found = _by_name(numeric_column("x", np.full(3, np.nan)), [1.0])
    assert found["outside_range"].value is None
    assert found["missing"].value == 0.0


def test_a_cut_vocabulary_cannot_tell_unseen_levels(monkeypatch):
    """When rare levels were not kept, the share of unseen ones is not made up."""
    monkeypatch.setattr(columns_module, "MAX_LEVELS", 1)
    found = _by_name(category_column("k", np.array(["a", "a", "b"], dtype=object)), np.array(["b"], dtype=object))
    assert found["unseen"].value is None


def test_the_change_of_missing_shares_is_newcombes():
    """His own example: 56 of 70 against 48 of 80 gives 0.2 [0.0524, 0.3339]."""
    column = numeric_column("x", np.concatenate([np.full(48, np.nan), np.zeros(32)]))
    found = _by_name(column, np.concatenate([np.full(56, np.nan), np.zeros(14)]))["missing_change"]
    assert found.value == pytest.approx(0.2)
    assert (found.interval.low, found.interval.high) == (
        pytest.approx(0.0524, abs=5e-5),
        pytest.approx(0.3339, abs=5e-5),
    )
