"""How much each column of a reference in order of time wanders by itself: the natural margin of the alarm rule.

Rows that follow each other in time are not independent. An hour of a calm month differs from the month by more than
chance explains, and no change is worth an alarm that the reference itself made every week. So the reference is cut into
blocks as long as a window, each is compared with all the others, and what was found at most is no change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Self

import numpy as np
import pandas as pd

from vigie.monitoring.cells import compare
from vigie.monitoring.columns import CategoryColumn, Column, NumericColumn
from vigie.monitoring.drift.chi_square import chi_square
from vigie.monitoring.grid import LevelCounts, NumberCounts

SHORTEST = 100
"""Rows of the shortest blocks: in shorter ones, chance alone looks like wandering."""

FEWEST_BLOCKS = 6
"""A reference of fewer blocks says nothing of how much it wanders."""

MOST_BLOCKS = 60
"""Blocks that are compared per length, spread evenly over the reference."""

CALENDAR = 0.25
"""A column that wanders by more than this stability index, or this share of rows, follows the calendar."""


@dataclass(frozen=True, slots=True)
class Margin:
    """What a column does by itself: a stability index, and a share of rows."""

    psi: float
    distance: float

    @property
    def is_calendar(self) -> bool:
        """Whether it is so wide that the column seems to tell the time."""
        return max(self.psi, self.distance) > CALENDAR


@dataclass(frozen=True, slots=True)
class Wander:
    """The natural margins of one column, for blocks of several lengths.

    Attributes:
        lengths: rows per block, ascending: 100, 200, 400 ... as long as the reference has six blocks.
        margins: the widest difference of a block of that length from all the others, one per length.
    """

    lengths: tuple[int, ...]
    margins: tuple[Margin, ...]

    def at(self, n: int) -> Margin:
        """Return the margin for a window of ``n`` rows: that of the longest blocks that are not longer.

        Shorter blocks wander more, so that rounding down errs on the side of silence.

        Raises:
            IndexError: the reference has no six blocks of any length.
        """
        fitting = [margin for length, margin in zip(self.lengths, self.margins, strict=True) if length <= n]
        return fitting[-1] if fitting else self.margins[0]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the inverse of ``from_dict``."""
        return {
            "lengths": list(self.lengths),
            "psi": [margin.psi for margin in self.margins],
            "distance": [margin.distance for margin in self.margins],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Rebuild it; KeyError, TypeError or ValueError when ``data`` is none."""
        lengths = tuple(int(length) for length in data["lengths"])
        pairs = zip(data["psi"], data["distance"], strict=True)
        margins = tuple(Margin(float(psi), float(distance)) for psi, distance in pairs)
        known = [*(margin.psi for margin in margins), *(margin.distance for margin in margins)]
        if len(lengths) != len(margins) or sorted(set(lengths)) != list(lengths) or min(lengths, default=1) < 1:
            raise ValueError("bad lengths")
        if not all(0 <= value < float("inf") for value in known) or any(margin.distance > 1 for margin in margins):
            raise ValueError("bad margins")
        return cls(lengths, margins)


def wander_of(column: Column, values: np.ndarray) -> Wander:
    """Return how much a column wanders.

    Args:
        column: the summary of the same values.
        values: in order of time; float64 for a numeric column, else str or missing. Shape (m,).
    """
    codes = _codes(column, values)
    n_codes = len(column.counts.cells) + isinstance(column, NumericColumn)
    lengths = _lengths(len(codes))
    return Wander(lengths, tuple(_widest(column, codes, n_codes, length) for length in lengths))


def _lengths(m: int) -> tuple[int, ...]:
    lengths, length = [], SHORTEST
    while length * FEWEST_BLOCKS <= m:
        lengths.append(length)
        length *= 2
    return tuple(lengths)


def _codes(column: Column, values: np.ndarray) -> np.ndarray:
    """Return each row's cell, a number's null in a last one of its own."""
    if isinstance(column, CategoryColumn):
        place = {level: code for code, level in enumerate(column.levels)}
        null = len(column.levels) + 1
        return np.array([null if pd.isna(value) else place.get(value, null - 1) for value in values], dtype=np.intp)
    codes = np.searchsorted(column.edges, values, side="left")
    codes[np.isnan(values)] = len(column.edges) + 1
    return codes


def _widest(column: Column, codes: np.ndarray, n_codes: int, length: int) -> Margin:
    m = len(codes)
    starts = np.linspace(0, m - length, min(MOST_BLOCKS, m // length)).astype(np.intp)
    halves = [np.bincount(codes[start::2], minlength=n_codes) for start in (0, 1)]
    found = []
    for start in starts.tolist():
        rows = codes[start : start + length]
        # Rows keep the half that their place in the whole gives them.
        inside = [np.bincount(rows[(start + half) % 2 :: 2], minlength=n_codes) for half in (0, 1)]
        found.append(_excess(*_split_off(column, halves, inside)))
    return Margin(max(psi for psi, _ in found), max(distance for _, distance in found))


def _split_off(
    column: Column, halves: Sequence[np.ndarray], inside: Sequence[np.ndarray]
) -> tuple[Column, NumberCounts | LevelCounts]:
    """Return the reference without a block, and the block."""
    if isinstance(column, CategoryColumn):
        even, odd = (LevelCounts(whole - mine) for whole, mine in zip(halves, inside, strict=True))
        return replace(column, even=even, odd=odd), LevelCounts(inside[0] + inside[1])
    block = inside[0] + inside[1]
    rest = halves[0] + halves[1] - block
    return replace(column, counts=_bare(rest)), _bare(block)


def _bare(cells: np.ndarray) -> NumberCounts:
    """Return counts that know cells and nulls only, which is all that is compared."""
    unknown = np.full(len(cells) - 1, np.nan)
    return NumberCounts(cells[:-1], int(cells[-1]), 0, 0, 0, np.nan, np.nan, unknown)


def _excess(rest: Column, block: NumberCounts | LevelCounts) -> tuple[float, float]:
    """Return how far a block is from the rest, less what chance explains on average."""
    comparison = compare(rest, block)
    effective = comparison.effective_n
    statistic, degrees = chi_square(comparison.reference, comparison.current)
    psi = max(0.0, (statistic - degrees) / effective)
    return psi, max(0.0, comparison.distance - sqrt(1 / (2 * effective)))
