"""Simulated columns whose truth is known: drawn as counts, because rows would only be counted again.

A number is drawn on a thousand cells of equal mass: the tests see ranks, not values, so this stands for any continuous
distribution. Every sequence has a reference of its own.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from vigie.monitoring.columns import CategoryColumn, Column, numeric_column
from vigie.monitoring.grid import LevelCounts

FINE = 1_000
LEVELS = (2, 5, 10, 20, 50)
N_NUMBERS = 20
N_COLUMNS = N_NUMBERS + len(LEVELS)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One column of one sequence.

    Attributes:
        column: its reference.
        windows: counts, shape (n_windows, n_cells), as ``sequences.alarms_by_scale`` takes them.
        values: where cells end, in standard deviations, shape (n_edges,); None for a category.
    """

    column: Column
    windows: np.ndarray
    values: np.ndarray | None


def draw_number(rng: np.random.Generator, *, m: int, n: int, n_windows: int, shift: float) -> Drawn:
    """Return a reference of ``m`` rows, and windows of ``n`` rows that lie ``shift`` standard deviations higher."""
    column = numeric_column(
        "x", np.repeat(np.arange(FINE, dtype=np.float64), rng.multinomial(m, np.full(FINE, 1 / FINE)))
    )
    ends = norm.ppf((column.edges + 1) / FINE)  # the upper end of a fine cell, as a normal value
    shares = np.diff(norm.cdf(ends - shift), prepend=0.0, append=1.0)
    windows = rng.multinomial(n, shares, size=n_windows)
    return Drawn(column, np.column_stack([windows, np.zeros(n_windows, dtype=np.int64)]), ends)


def draw_category(rng: np.random.Generator, *, levels: int, m: int, n: int, n_windows: int) -> Drawn:
    """Return a reference and windows of a column whose levels follow Zipf's law; it never drifts."""
    shares = 1 / np.arange(1, levels + 1)
    shares /= shares.sum()
    even, odd = (np.append(rng.multinomial(half, shares), [0, 0]) for half in ((m + 1) // 2, m // 2))
    names = tuple(f"level {code:03d}" for code in range(levels))
    windows = rng.multinomial(n, shares, size=n_windows)
    padding = np.zeros((n_windows, 2), dtype=np.int64)
    return Drawn(CategoryColumn("k", names, LevelCounts(even), LevelCounts(odd)), np.hstack([windows, padding]), None)


def draw_table(rng: np.random.Generator, *, m: int, n: int, n_windows: int, shift: float) -> list[Drawn]:
    """Return the 25 columns of one sequence; ``shift`` moves every number."""
    numbers = [draw_number(rng, m=m, n=n, n_windows=n_windows, shift=shift) for _ in range(N_NUMBERS)]
    return numbers + [draw_category(rng, levels=levels, m=m, n=n, n_windows=n_windows) for levels in LEVELS]
