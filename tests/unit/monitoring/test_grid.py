"""One pass over a column."""

import numpy as np
import pytest

from vigie.monitoring.grid import CHUNK, count_levels, count_numbers


def test_counts_do_not_depend_on_where_chunks_end():
    """Three chunks and a bit count like a plain comparison of every row with every edge."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=3 * CHUNK + 17)
    values[rng.random(len(values)) < 0.1] = np.nan
    edges = np.array([-1.0, 0.0, 0.5])
    counts = count_numbers(values, edges, bounds=(-2.0, 2.0), center=0.0)
    known = values[~np.isnan(values)]
    assert counts.cells.tolist() == np.bincount(np.searchsorted(edges, known, side="left"), minlength=4).tolist()
    assert (counts.missing, counts.below, counts.above) == (
        int(np.isnan(values).sum()), int((known < -2).sum()), int((known > 2).sum()))  # fmt: skip
    assert counts.total / counts.finite == pytest.approx(known.mean())


def test_infinities_fall_in_the_outer_cells_and_outside_the_bounds():
    """Infinite rows are counted, and leave the sums finite."""
    counts = count_numbers(
        np.array([-np.inf, 1.0, np.inf, np.nan]), np.array([0.0, 2.0]), bounds=(0.0, 2.0), center=0.0
    )
    assert counts.cells.tolist() == [1, 1, 1]
    assert (counts.missing, counts.below, counts.above, counts.finite, counts.total) == (1, 1, 1, 1, 1.0)


def test_sums_beyond_the_largest_number_add_up_in_silence():
    """Cells are right all the same; what is summed up has no value."""
    huge = count_numbers(np.full(3, 1.7e308), np.array([0.0]), bounds=(0.0, 1.7e308), center=0.0)
    tiny = count_numbers(np.full(3, 1e308), np.array([0.0]), bounds=(0.0, 1.7e308), center=0.0)
    one = count_numbers(np.array([1e308]), np.array([0.0]), bounds=(0.0, 1.7e308), center=0.0)
    assert (huge + tiny + one + one).cells.tolist() == [0, 8]
    assert not np.isfinite((one + one).total)


def test_levels_are_counted_with_others_and_nulls_apart():
    """Kept levels in order, then everything else, then None and NaN together."""
    assert count_levels(["a", "b", None, np.nan, "z", "b"], ["a", "b"]).cells.tolist() == [1, 2, 1, 2]


def test_no_row_and_no_level_give_zeros():
    """Empty inputs are fine."""
    assert count_levels([], []).cells.tolist() == [0, 0]
    assert count_numbers(np.empty(0), np.empty(0), bounds=None, center=0.0).n == 0
