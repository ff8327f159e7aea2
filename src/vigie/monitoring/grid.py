"""One pass over a column: how many values fall in each cell of a grid that was fixed at training.

Looking each value up among the edges is slow; sorting a chunk that fits the cache and looking the edges up in it is
exact for ties, costs the same for any number of edges, and leaves NaN sorted last, counted for free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nextafter

import numpy as np
import pandas as pd
import pyarrow as pa

CHUNK = 32_768
"""Values sorted at a time: 256 KiB of float64, within a second-level cache; half of it costs a tenth more."""


_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True, eq=False)
class NumberCounts:
    """A numeric column reduced on a grid; two of them on the same grid add up.

    Attributes:
        cells: rows per cell ``(-inf, e0], (e0, e1] ... (e_last, inf)``, int64, shape (n_edges + 1,).
        missing: rows that are NaN.
        below: rows under the smallest value known from training.
        above: rows over the largest value known from training.
        finite: rows that are neither missing nor infinite; the sums speak of them.
        total: sum of ``x - center``, ``center`` being the reference's mean.
        squares: sum of ``(x - center) ** 2``.
        sums: sum of ``x - center`` cell by cell, float64, shape (n_edges + 1,); NaN where they were not kept.
    """

    cells: np.ndarray
    missing: int
    below: int
    above: int
    finite: int
    total: float
    squares: float
    sums: np.ndarray

    @property
    def n(self) -> int:
        """Rows, missing ones included."""
        return self.known + self.missing

    @cached_property
    def known(self) -> int:
        """Rows that hold a value."""
        return int(self.cells.sum())

    def __add__(self, other: "NumberCounts") -> "NumberCounts":
        """Return the counts of both samples together."""
        with np.errstate(over="ignore", invalid="ignore"):  # as in ``count_numbers``
            sums = self.sums + other.sums
        return NumberCounts(
            cells=self.cells + other.cells,
            missing=self.missing + other.missing,
            below=self.below + other.below,
            above=self.above + other.above,
            finite=self.finite + other.finite,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            sums=sums,
        )


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """A categorical column reduced to counts: one per kept level, then every other level, then null."""

    cells: np.ndarray

    @cached_property
    def n(self) -> int:
        """Rows, missing ones included."""
        return int(self.cells.sum())

    @property
    def known(self) -> int:
        """Rows that hold a value."""
        return self.n - self.missing

    @property
    def missing(self) -> int:
        """Rows without a value."""
        return int(self.cells[-1])

    @property
    def other(self) -> int:
        """Rows with a level that the profile does not keep."""
        return int(self.cells[-2])

    def __add__(self, other: "LevelCounts") -> "LevelCounts":
        """Return the counts of both samples together."""
        return LevelCounts(self.cells + other.cells)


def count_numbers(
    values: np.ndarray, edges: np.ndarray, *, bounds: tuple[float, float] | None, center: float
) -> NumberCounts:
    """Reduce a numeric column in one pass.

    Args:
        values: float64, shape (n,), NaN for missing; infinities fall in the outer cells.
        edges: float64, strictly increasing, shape (n_edges,), may be empty.
        bounds: smallest and largest value known from training, None when there was none.
        center: what the sums are taken around, so that they do not cancel.
    """
    low, high = bounds if bounds is not None else (-np.inf, np.inf)
    # One look-up a chunk answers all: how many values lie at or under each of these.
    asked = np.concatenate((edges, (-np.inf, nextafter(low, -np.inf), high, _LARGEST, np.inf)))
    up_to = np.zeros(len(asked), dtype=np.int64)
    sums = np.zeros(len(edges) + 1)
    total = squares = 0.0
    for start in range(0, len(values), CHUNK):
        chunk = np.sort(values[start : start + CHUNK])
        found = np.searchsorted(chunk, asked, side="right")
        up_to += found
        first, last = found[-5], found[-2]
        with np.errstate(over="ignore", invalid="ignore"):  # sums beyond 1e308 are inf or NaN: "no value" in reports
            shifted = chunk[first:last]
            shifted -= center  # in place: the chunk is ours, and nobody looks at it again
            all_finite = last - first == len(chunk)  # as nearly always
            up_to_edges = found[:-5] if all_finite else np.clip(found[:-5], first, last) - first
            own = _cell_sums(shifted, up_to_edges)
            sums += own
            total += float(own.sum())
            squares += float(shifted @ shifted)
    first, under, within, last, known = up_to[-5:].tolist()
    return NumberCounts(
        cells=np.diff(up_to[: len(edges)], prepend=0, append=known),
        missing=len(values) - known,
        below=under if low > -np.inf else 0,
        above=known - within,
        finite=last - first,
        total=total,
        squares=squares,
        sums=sums,
    )


def _cell_sums(ordered: np.ndarray, up_to: np.ndarray) -> np.ndarray:
    """Return the sum of each cell's own values: differences of a running sum would let a huge value drown the others.

    Args:
        ordered: values in ascending order, shape (n,).
        up_to: how many of them lie at or under each edge, shape (n_edges,).
    """
    sums = np.zeros(len(up_to) + 1)
    starts = np.zeros(len(sums), dtype=np.intp)
    starts[1:] = up_to
    filled = int(starts.searchsorted(len(ordered)))  # those behind it hold none
    if filled:
        sums[:filled] = np.add.reduceat(ordered, starts[:filled])
        sums[:-1][starts[1:] == starts[:-1]] = 0.0  # of an empty cell numpy says the value at its start
    return sums


def count_levels(
    values: Sequence[object] | np.ndarray | pa.ChunkedArray | pa.Array, levels: Sequence[str]
) -> LevelCounts:
    """Reduce a categorical column to counts.

    Args:
        values: str or missing (None, NaN), shape (n,). A column of Arrow, dictionary-encoded or not, is counted without
            a Python object per row.
        levels: the levels that have a cell of their own, all different.
    """
    if isinstance(values, pa.ChunkedArray | pa.Array):
        return _add_up(values.value_counts(), levels)
    distinct = np.asarray(values, dtype=object)
    own = pd.Index(np.array([*levels, None], dtype=object)[:-1])  # None keeps numpy and pandas from guessing a type
    codes = own.get_indexer(distinct)
    codes = np.where(codes < 0, len(levels), codes)
    codes = np.where(pd.isna(distinct), len(levels) + 1, codes)
    return LevelCounts(np.bincount(codes, minlength=len(levels) + 2).astype(np.int64))


def _add_up(found: pa.StructArray, levels: Sequence[str]) -> LevelCounts:
    """Return the counts of Arrow's distinct values, null among them."""
    place = {level: code for code, level in enumerate(levels)} | {None: len(levels) + 1}
    cells = [0] * (len(levels) + 2)
    for value, n in zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True):
        cells[place.get(value, len(levels))] += n
    return LevelCounts(np.array(cells, dtype=np.int64))
