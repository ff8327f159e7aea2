"""What the alarm rule compares of a column: cells heavy enough for a chi-square, and a distance that needs none.

Points 2, 3 and 5 of the rule. Cells are chosen so that the statistic keeps its distribution on real tables: ties,
values that hold most of the rows, rare levels, levels never seen before, vocabularies as large as the sample.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vigie.monitoring.columns import CategoryColumn, Column, ColumnCounts, NumericColumn
from vigie.monitoring.grid import LevelCounts, NumberCounts

MIN_EXPECTED = 5.0
"""Rows that a cell must hold, in expectation, in the smaller of the two samples (Cochran's rule)."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One column, reduced to what is tested.

    Attributes:
        reference: rows per cell, shape (n_cells,).
        current: the window's rows per cell, shape (n_cells,).
        distance: largest difference between shares of rows, in [0, 1].
        groups: how many differences ``distance`` is the largest of, 1 for a distribution function.
        variation: half the sum of those differences (total variation); None for a distribution function.
    """

    reference: np.ndarray
    current: np.ndarray
    distance: float
    groups: int
    variation: float | None = None

    @property
    def effective_n(self) -> float:
        """``n*m/(n+m)``: the size of one sample that tells as much as these two."""
        n, m = float(self.current.sum()), float(self.reference.sum())
        return n * m / (n + m)


@lru_cache(maxsize=32)  # by identity: the tests of a column's blocks and its statistics ask for the same comparisons
def compare(column: Column, counts: ColumnCounts, *, split: bool = False) -> Comparison:
    """Return what is tested of one column.

    Args:
        column: the reference, with at least one row.
        counts: the window on its grid, with at least one row.
        split: whether levels are chosen on one half of the reference and compared on the other even where none is rare,
            as a bound in finite samples asks for.

    Raises:
        TypeError: one is numeric and the other categorical.
    """
    if isinstance(column, NumericColumn) and isinstance(counts, NumberCounts):
        return _compare_numbers(column, counts)
    if isinstance(column, CategoryColumn) and isinstance(counts, LevelCounts):
        return _compare_levels(column, counts.cells, split=split)
    raise TypeError(f"column {column.name!r} and its counts are of different kinds")


def coarse_cells(cells: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return counts on the coarser grid whose edges are those at ``positions``, shape (n_positions + 1,)."""
    up_to = np.cumsum(cells)
    return np.diff(np.concatenate(([0], up_to[positions], up_to[-1:])))


def _compare_numbers(column: NumericColumn, counts: NumberCounts) -> Comparison:
    reference = np.append(coarse_cells(column.counts.cells, column.tested), column.counts.missing)
    current = np.append(coarse_cells(counts.cells, column.tested), counts.missing)
    if reference[-1] == 0 and current[-1] == 0:
        reference, current = reference[:-1], current[:-1]
    # Nulls rank above every value: they count as rows, but in no cell of the distribution function.
    gap = np.cumsum(counts.cells) / counts.n - np.cumsum(column.counts.cells) / column.counts.n
    ends = _closed_cells(reference, current)
    return Comparison(
        reference=np.add.reduceat(reference, ends),
        current=np.add.reduceat(current, ends),
        distance=float(np.abs(gap).max()),
        groups=1,
    )


def _closed_cells(reference: np.ndarray, current: np.ndarray) -> list[int]:
    """Return where merged cells start, from left to right: a cell closes once it is heavy enough."""
    scale = min(current.sum(), reference.sum()) / reference.sum()
    starts, held = [0], 0.0
    for k, rows in enumerate(reference.tolist()):
        held += rows
        if held * scale >= MIN_EXPECTED:
            starts.append(k + 1)
            held = 0.0
    # What is left over after the last closed cell joins it.
    return starts[:-1] if len(starts) > 1 else starts


def _compare_levels(column: CategoryColumn, current: np.ndarray, *, split: bool) -> Comparison:
    n = int(current.sum())
    choice, compared = _tables(column, n, split=split)
    expected = choice * (min(n, int(compared.sum())) / int(choice.sum()))
    own = expected >= MIN_EXPECTED
    own[-2] = False
    kept = _keep_cells(own, expected, current)
    gaps = _group_gaps(own, compared, current)
    return Comparison(
        reference=np.append(compared[kept], compared[~kept].sum()),
        current=np.append(current[kept], current[~kept].sum()),
        distance=float(gaps.max()),
        groups=len(gaps),
        variation=float(gaps.sum()) / 2,
    )


def _tables(column: CategoryColumn, n: int, *, split: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts that cells are chosen on, and the counts that are compared."""
    if column.stand_in is not None:  # what training saw chooses; no row of it is compared
        return column.even.cells + column.odd.cells, column.stand_in.cells
    everything = column.counts.cells
    m = int(everything.sum())
    seen = everything > 0
    rare = seen & (everything * (min(n, m) / m) < MIN_EXPECTED)
    rare[-2] = seen[-2]  # levels that were not kept cannot have a cell of their own
    if m > 1 and (split or bool(rare.any())):
        return column.even.cells, column.odd.cells
    return everything, everything


def _keep_cells(own: np.ndarray, expected: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return which levels keep a cell, after the rarest of them have filled the pool up to the minimum."""
    kept = own.copy()
    held = float(expected[~own].sum())
    if held == 0.0 and current[~own].sum() == 0:
        return kept
    for k in np.argsort(expected, kind="stable"):  # levels are sorted, so ties stand in lexicographic order
        if held >= MIN_EXPECTED:
            break
        if kept[k]:
            kept[k] = False
            held += float(expected[k])
    return kept


def _group_gaps(own: np.ndarray, compared: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the differences of shares of the heavy levels and of the group "rare or unseen"."""
    gap = current / current.sum() - compared / compared.sum()
    return np.append(np.abs(gap[own]), abs(gap[~own].sum()))
