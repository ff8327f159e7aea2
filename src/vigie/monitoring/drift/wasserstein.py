"""Wasserstein distance: how far, on average, a value has moved."""

from typing import NamedTuple

import numpy as np

from vigie.errors import InsufficientDataError


class CellSums(NamedTuple):
    """A sample on a grid: rows per cell, and the sum of their values per cell, each of shape (n_edges + 1,)."""

    rows: np.ndarray
    sums: np.ndarray


def wasserstein(reference: CellSums, current: CellSums, edges: np.ndarray) -> float:
    """Return the area between two distribution functions, from rows and sums per cell.

    Inside a cell the area between the two functions is known up to its sign: where they cross within the cell, parts of
    it cancel. The result is therefore never above the exact distance, and is the exact one where no cell holds a
    crossing. It can be far too small where the window's rows lie in a gap of the reference, inside one wide cell.

    Args:
        reference: finite values only, at least one.
        current: the same for the window, on the same cells.
        edges: where cells end, shape (n_edges,), in the unit of the values and around the same centre as the sums.

    Returns:
        A value in [0, inf), in the unit of the values; NaN where the sums are not known.

    Raises:
        InsufficientDataError: either sample is empty.

    Source:
        Vallender (1974), Calculation of the Wasserstein distance between probability distributions on the line; the
        area of a cell by integration by parts.
    """
    n, m = float(current.rows.sum()), float(reference.rows.sum())
    if n == 0 or m == 0:
        raise InsufficientDataError("A Wasserstein distance", needed=1, found=0)
    gap = np.cumsum(reference.rows)[:-1] / m - np.cumsum(current.rows)[:-1] / n
    corners = np.concatenate(([0.0], gap * edges, [0.0]))  # both functions meet beyond the ends
    areas = np.diff(corners) - (reference.sums / m - current.sums / n)
    return float(np.abs(areas).sum())
