"""Which cells the rule compares."""

import numpy as np
import pytest

from vigie.monitoring import columns
from vigie.monitoring.cells import coarse_cells, compare
from vigie.monitoring.columns import category_column, numeric_column


def _levels(**counts):
    """Rows in an order where both halves get their share of every level."""
    rows = [level for level, n in counts.items() for _ in range(n)]
    return np.array(rows, dtype=object)


def test_coarse_cells_add_up_the_fine_ones():
    """Edges 0 and 2 of four: cells 0, 1 + 2, 3 + 4."""
    assert coarse_cells(np.array([1, 2, 3, 4, 5]), np.array([0, 2])).tolist() == [1, 5, 9]


def test_light_cells_merge_to_the_right_and_the_rest_joins_the_last():
    """Against 20 rows, deciles of 100 expect 2 each: a cell closes at 3 of them, the tenth joins the last."""
    column = numeric_column("x", np.arange(100.0))
    comparison = compare(column, column.count(np.arange(0.0, 100.0, 5.0)))
    assert comparison.reference.tolist() == [30, 30, 40]
    assert comparison.current.tolist() == [6, 6, 8]


def test_nulls_are_a_cell_and_rank_above_every_value():
    """A fifth of nulls where there was none: the distance is that fifth, and they count in the last cell."""
    column = numeric_column("x", np.arange(1000.0))
    window = np.concatenate([np.arange(0.0, 1000.0, 1.25), np.full(200, np.nan)])
    comparison = compare(column, column.count(window))
    assert comparison.distance == pytest.approx(0.2)
    assert (comparison.reference.sum(), comparison.current.sum()) == (1000, 1000)


def test_heavy_levels_are_compared_on_all_rows():
    """Without a rare level nothing is split, and nothing is pooled while nothing is unseen."""
    column = category_column("k", _levels(a=600, b=400))
    comparison = compare(column, column.count(_levels(a=50, b=50)))
    assert comparison.reference.tolist() == [600, 400, 0]
    assert comparison.distance == pytest.approx(0.1)
    assert comparison.groups == 3


def test_a_rare_level_splits_the_reference():
    """One rare level: cells are chosen on the even rows, counts compared are those of the odd rows."""
    column = category_column("k", _levels(a=600, b=398, c=2))
    comparison = compare(column, column.count(_levels(a=60, b=40)))
    # The pool (c: one even row, 0.2 expected) is filled by the rarest heavy level, b; a stays.
    assert comparison.reference.tolist() == [300, 200]
    assert comparison.current.tolist() == [60, 40]


def test_unseen_levels_are_a_group_of_their_own_for_the_distance():
    """The distance is not diluted by the level that was taken to fill the pool."""
    column = category_column("k", _levels(a=500, b=500))
    comparison = compare(column, column.count(_levels(a=50, b=50, new=50)))
    assert comparison.distance == pytest.approx(1 / 3)


def test_levels_that_were_not_kept_share_the_pool(monkeypatch):
    """However heavy together, rows of dropped levels are no level: they are pooled with what is unseen."""
    monkeypatch.setattr(columns, "MAX_LEVELS", 2)
    column = category_column("k", _levels(a=400, b=400, c=100, d=100))
    comparison = compare(column, column.count(_levels(a=40, b=40, c=10, new=10)))
    assert comparison.reference.tolist() == [200, 200, 100]
    assert comparison.current.tolist() == [40, 40, 20]
    assert comparison.groups == 3


def test_kinds_must_agree():
    """A column and counts of different kinds are a mistake that is told."""
    column = numeric_column("x", np.arange(10.0))
    other = category_column("k", _levels(a=10))
    with pytest.raises(TypeError):
        compare(column, other.counts)
