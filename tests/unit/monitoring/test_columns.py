"""What is remembered of a column."""

import itertools

import numpy as np
import pytest

from vigie.monitoring import columns as module
from vigie.monitoring.columns import NumericColumn, category_column, numeric_column


def _inverse(ordered, share_num, share_den):
    """The smallest value whose distribution function reaches the share, by definition."""
    return next(x for k, x in enumerate(ordered, 1) if k * share_den >= share_num * len(ordered))


def test_edges_are_values_of_the_reference_and_hold_the_deciles():
    """Where no rows share a value every edge was seen, and deciles are those of the inverse distribution function."""
    values = np.random.default_rng(0).normal(size=3001)
    column = numeric_column("x", values)
    assert set(column.edges) <= set(values)
    ordered = sorted(values)
    assert column.edges[column.deciles].tolist() == [_inverse(ordered, k, 10) for k in range(1, 10)]
    assert len(column.edges) <= 256 + 10


def test_a_shared_value_has_its_edge_just_above_it():
    """By a millionth of it, or less: that is where rounding ends and another value begins."""
    column = numeric_column("x", np.repeat([0.0, 1.0, 2.0, 10.0], 50))
    assert column.edges[column.deciles] == pytest.approx([0.0, 1.0, 2.0, 10.0], abs=1.001e-5)
    assert (column.edges[column.deciles] > [0.0, 1.0, 2.0, 10.0]).all()


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], [0.0506801187, -0.0446416365], [1e-9, 3e-9, -2e-9], [1e6, 1e6 + 1, 0.1]]
)
@pytest.mark.parametrize("again", [lambda x: x.round(10), lambda x: x.astype(np.float32)], ids=["decimals", "float32"])
def test_the_same_numbers_written_shorter_stay_where_they_were(values, again):
    """Ten decimals are what pandas writes as JSON, float32 what many tables hold: neither is drift, or out of range."""
    reference = np.resize(np.array(values) * 1.000000000012345, 1000)
    column = numeric_column("x", reference)
    scale = 1 if np.abs(reference).max() > 1e-6 else 1e9  # ten decimals of nanometres are something else
    found = column.count(again(reference * scale).astype(float) / scale)
    assert found.cells.tolist() == column.counts.cells.tolist()
    assert (found.below, found.above) == (0, 0)


def test_neighbouring_numbers_keep_cells_of_their_own():
    """Two floats without one between them, each on half of the rows: an edge still tells them apart."""
    pair = [1.0, np.nextafter(1.0, 2.0)]
    column = numeric_column("x", np.resize(pair, 100))
    assert column.count(np.array(pair[:1] * 7)).cells.max() == 7
    assert not np.array_equal(column.count(np.array(pair[:1])).cells, column.count(np.array(pair[1:])).cells)


def test_the_largest_numbers_have_finite_edges():
    """No room above the largest float, and none needed."""
    most = np.finfo(float).max
    column = numeric_column("x", np.array([-most, 0.0, most] * 5))
    assert np.isfinite(column.edges).all()
    assert column.counts.cells.sum() == 15


def test_counts_are_those_of_the_cells_open_on_the_left():
    """The counts are the numbers of rows in (a, b], checked by comparing every row."""
    values = np.random.default_rng(1).poisson(3, 500).astype(float)
    column = numeric_column("x", values)
    bounds = [-np.inf, *column.edges, np.inf]
    expected = [int(((values > a) & (values <= b)).sum()) for a, b in itertools.pairwise(bounds)]
    assert column.counts.cells.tolist() == expected


def test_a_heavy_value_has_an_edge_just_under_it():
    """A value with 10 % of the rows is alone in its cell; the smallest value needs no edge under it."""
    values = np.array([0.0] * 50 + [7.0] * 50 + list(np.linspace(1, 6, 20)))
    column = numeric_column("x", values)
    (under,) = column.edges[column.spikes]
    assert 7.0 - 1e-5 < under < 7.0


def test_moments_and_bounds_leave_missing_and_infinite_rows_out():
    """Mean, variance and bounds speak of the finite rows."""
    column = numeric_column("x", np.array([1.0, 3.0, np.nan, np.inf]))
    assert (column.mean, column.variance, column.bounds, column.counts.missing) == (2.0, 1.0, (1.0, 3.0), 1)


def test_declared_range_widens_the_bounds():
    """A range seen at training counts as known, even where these rows do not reach it."""
    assert numeric_column("x", np.array([2.0, 3.0]), (0.0, 2.5)).bounds == (0.0, 3.0)


def test_values_too_large_to_square_have_no_variance():
    """An overflow is "no value", neither inf nor a warning."""
    column = numeric_column("x", np.array([1e308, -1e308]))
    assert column.variance is None
    assert NumericColumn.from_dict(column.to_dict()).edges.tolist() == column.edges.tolist()


def test_an_all_missing_column_is_remembered():
    """No known row: no edge, no bounds, no moment, all missing."""
    column = numeric_column("x", np.full(4, np.nan))
    assert (len(column.edges), column.bounds, column.mean, column.counts.missing) == (0, None, None, 4)


def test_category_halves_are_the_even_and_the_odd_rows():
    """Rows 0, 2, 4 in one table, 1, 3 in the other, null last; declared levels are kept without rows."""
    column = category_column("k", np.array(["b", "a", "b", None, "a"], dtype=object), ("c",))
    assert column.levels == ("a", "b", "c")
    assert column.even.cells.tolist() == [1, 2, 0, 0, 0]
    assert column.odd.cells.tolist() == [1, 0, 0, 0, 1]


def test_a_huge_vocabulary_keeps_its_commonest_levels(monkeypatch):
    """Beyond the cap the rarer levels share a cell, so that the profile stays small."""
    monkeypatch.setattr(module, "MAX_LEVELS", 2)
    column = category_column("k", np.array(["a", "b", "b", "c", "c", "d"], dtype=object))
    assert column.levels == ("b", "c")
    assert column.counts.cells.tolist() == [2, 2, 2, 0]


@pytest.mark.parametrize("value", [0.0, -3.5])
def test_a_constant_column_has_a_single_edge(value):
    """A constant: one edge, all rows at or under it."""
    column = numeric_column("x", np.full(20, value))
    assert column.edges.tolist() == pytest.approx([value], rel=1e-5)
    assert column.counts.cells.tolist() == [20, 0]


def test_small_numbers_are_not_counted_with_the_zeros_beside_them():
    """Zero is written alike in all ways: where most rows are zero, a millionth of the span is a number of its own."""
    values = np.concatenate([np.zeros(600), np.linspace(0.01, 10, 400)])
    column = numeric_column("rain", values)
    small = column.count(np.full(5, 1e-6))
    assert small.cells.tolist().index(5) == column.counts.cells.tolist().index(600) + 1
