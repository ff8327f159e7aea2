"""What is remembered of one column of the training data: a fixed-size summary that any window can be compared with."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from vigie.domain.measurement import finite
from vigie.monitoring.grid import LevelCounts, NumberCounts, count_levels, count_numbers

GRID = 256
"""Quantile cells per numeric column: keeps the grid's error under a tenth of KS's own up to 100,000 rows."""

SPIKE_SHARE = 0.1
"""A value that holds this share of the known rows gets a cell of its own."""

SLACK, SLACK_OF_SPAN = 1e-6, 1e-10
"""How far beyond a value that fills a cell of the grid its cell ends, as shares of the value and of the column's span,
whichever is larger: the same number written as a float32, or with ten decimals, stays where it was. Zero is written
alike in all ways and what lies beside it is another number: where most rows are zero the second share must be tiny."""

MAX_LEVELS = 10_000
"""Levels kept per categorical column; rarer ones share one cell."""


@dataclass(frozen=True, eq=False)
class NumericColumn:
    """A numeric column of the reference.

    Attributes:
        name: the feature's name.
        edges: quantiles that are values of the reference, just above those that many rows share, and one just under
            each spike; strictly increasing, finite, shape (n_edges,).
        deciles: positions in ``edges`` of the nine deciles, equal ones once.
        spikes: positions in ``edges`` of the edges just under a value that holds 10 % of the known rows or more.
        counts: the reference itself on this grid.
        bounds: smallest and largest value known from training; None when every row was missing.
        mean: of the finite rows; None when there is none.
        variance: of the finite rows (population form); None when there is none or it overflows.
    """

    name: str
    edges: np.ndarray
    deciles: np.ndarray
    spikes: np.ndarray
    counts: NumberCounts
    bounds: tuple[float, float] | None
    mean: float | None
    variance: float | None

    @cached_property
    def tested(self) -> np.ndarray:
        """Positions in ``edges`` of those that the alarm rule's cells end at: deciles and spikes."""
        return np.union1d(self.deciles, self.spikes)

    def count(self, values: np.ndarray) -> NumberCounts:
        """Reduce float64 values, shape (n,), on this column's grid."""
        return count_numbers(values, self.edges, bounds=_reach(self.bounds), center=self.mean or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the inverse of ``from_dict``."""
        return {
            "name": self.name,
            "kind": "numeric",
            "edges": self.edges.tolist(),
            "deciles": self.deciles.tolist(),
            "spikes": self.spikes.tolist(),
            "cells": self.counts.cells.tolist(),
            "missing": self.counts.missing,
            "outside": [self.counts.below, self.counts.above],
            "sums": [self.counts.finite, finite(self.counts.total), finite(self.counts.squares)],
            "cell_sums": [finite(value) for value in self.counts.sums.tolist()],
            "bounds": list(self.bounds) if self.bounds else None,
            "mean": self.mean,
            "variance": self.variance,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Rebuild a column; KeyError, TypeError, ValueError or OverflowError when ``data`` is not one."""
        edges = np.asarray(data["edges"], dtype=np.float64)
        _require(edges.ndim == 1 and bool(np.isfinite(edges).all()) and bool((edges[1:] > edges[:-1]).all()), "edges")
        below, above = data["outside"]
        known, total, squares = data["sums"]
        counts = NumberCounts(
            cells=_counts(data["cells"], len(edges) + 1),
            missing=_count(data["missing"]),
            below=_count(below),
            above=_count(above),
            finite=_count(known),
            total=np.nan if total is None else _finite(total),
            squares=np.nan if squares is None else _finite(squares),
            sums=_sums(data["cell_sums"], len(edges) + 1),
        )
        bounds = data["bounds"]
        return cls(
            name=_text(data["name"]),
            edges=edges,
            deciles=_positions(data["deciles"], len(edges)),
            spikes=_positions(data["spikes"], len(edges)),
            counts=counts,
            bounds=None if bounds is None else (_finite(bounds[0]), _finite(bounds[1])),
            mean=None if data["mean"] is None else _finite(data["mean"]),
            variance=None if data["variance"] is None else _finite(data["variance"]),
        )


@dataclass(frozen=True, eq=False)
class CategoryColumn:
    """A categorical column of the reference.

    Two tables, because levels may not be chosen by the counts that are then compared: with an open vocabulary that
    selection alone looks like drift.

    Attributes:
        name: the feature's name.
        levels: kept levels, sorted; a level the schema declares may have no row.
        even: counts of the rows at positions 0, 2, 4 ..., laid out as ``LevelCounts``.
        odd: counts of the rows at positions 1, 3, 5 ...
        stand_in: counts of a later window that stand for the reference; None for the reference itself.
    """

    name: str
    levels: tuple[str, ...]
    even: LevelCounts
    odd: LevelCounts
    stand_in: LevelCounts | None = None

    @cached_property
    def counts(self) -> LevelCounts:
        """The whole reference."""
        return self.even + self.odd if self.stand_in is None else self.stand_in

    def count(self, values: np.ndarray | pa.ChunkedArray) -> LevelCounts:
        """Reduce str-or-missing values, shape (n,), to this column's levels."""
        return count_levels(values, self.levels)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the inverse of ``from_dict``."""
        return {
            "name": self.name,
            "kind": "category",
            "levels": list(self.levels),
            "even": self.even.cells.tolist(),
            "odd": self.odd.cells.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Rebuild a column; KeyError, TypeError, ValueError or OverflowError when ``data`` is not one."""
        levels = tuple(_text(level) for level in data["levels"])
        _require(len(set(levels)) == len(levels), "levels")
        size = len(levels) + 2
        even, odd = LevelCounts(_counts(data["even"], size)), LevelCounts(_counts(data["odd"], size))
        return cls(_text(data["name"]), levels, even, odd)


Column = NumericColumn | CategoryColumn
"""One column of the reference, of either kind."""

ColumnCounts = NumberCounts | LevelCounts
"""A window's counts of one column, of either kind."""


def numeric_column(name: str, values: np.ndarray, declared: tuple[float, float] | None = None) -> NumericColumn:
    """Summarise a numeric column.

    Args:
        name: the feature's name.
        values: float64, shape (n,), NaN for missing.
        declared: the range seen at training, which may be wider than these rows'.

    Source:
        Hyndman and Fan (1996), Sample quantiles in statistical packages, definition 1 (inverse of the empirical
        distribution function: always a value of the sample).
    """
    ordered = np.sort(values[np.isfinite(values)])
    distinct, rows = np.unique(ordered, return_counts=True)
    known = (~np.isnan(values)).sum()
    heavy = np.flatnonzero(rows >= SPIKE_SHARE * known)
    above, under = _beside(distinct, shared=(rows > 1) & (rows >= known / GRID))
    deciles = above[np.searchsorted(distinct, _quantiles(ordered, 10))]
    spikes = under[heavy[heavy > 0]]  # under the smallest value there is nothing
    ends = above[[0, -1]] if len(ordered) else above  # a window's rows beyond both ends get cells of their own
    grid = above[np.searchsorted(distinct, _quantiles(ordered, GRID))]
    edges = np.unique(np.concatenate([ends, grid, deciles, spikes]))
    bounds, mean, variance = declared, None, None
    if len(ordered):
        low, high = float(ordered[0]), float(ordered[-1])
        bounds = (min(low, declared[0]), max(high, declared[1])) if declared else (low, high)
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is kept as None, "no value"
            mean, variance = finite(float(ordered.mean())), finite(float(ordered.var()))
    return NumericColumn(
        name=name,
        edges=edges,
        deciles=np.searchsorted(edges, deciles),
        spikes=np.searchsorted(edges, spikes),
        counts=count_numbers(values, edges, bounds=_reach(bounds), center=mean or 0.0),
        bounds=bounds,
        mean=mean,
        variance=variance,
    )


def category_column(name: str, values: np.ndarray, declared: tuple[str, ...] = ()) -> CategoryColumn:
    """Summarise a categorical column.

    Args:
        name: the feature's name.
        values: str or missing, shape (n,), in an order that has nothing to do with the values.
        declared: levels known from training, kept even when these rows hold none of them.
    """
    column = np.asarray(values, dtype=object)
    seen = {str(level) for level in pd.unique(column[~pd.isna(column)])}
    levels = sorted(seen | set(declared))
    if len(levels) > MAX_LEVELS:
        totals = count_levels(column, levels).cells
        kept = sorted(range(len(levels)), key=lambda k: (-int(totals[k]), levels[k]))[:MAX_LEVELS]
        levels = sorted(levels[k] for k in kept)
    return CategoryColumn(name, tuple(levels), count_levels(column[0::2], levels), count_levels(column[1::2], levels))


def _quantiles(ordered: np.ndarray, parts: int) -> np.ndarray:
    """Return the inner ``k / parts`` quantiles, in whole numbers so that no rounding moves an edge by one row."""
    n = len(ordered)
    if n == 0:
        return np.empty(0)
    ranks = (np.arange(1, parts, dtype=np.int64) * n + parts - 1) // parts - 1
    return np.unique(ordered[ranks])


def _beside(distinct: np.ndarray, *, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the cell of each value ends: at it or just above, and just under it; at most half way to the next.

    Args:
        distinct: finite values, strictly increasing, shape (n,).
        shared: which of them many rows share, bool, shape (n,): where few do, a value that is written otherwise moves
            few rows, and the cell ends at the value itself.
    """
    if not len(distinct):
        return distinct, distinct
    slack = np.where(shared, _slack(distinct, distinct[0], distinct[-1]), 0.0)
    most = np.finfo(np.float64).max
    half = np.diff(distinct / 2)  # halved first: the difference of two huge numbers would overflow
    above = distinct + np.minimum(slack, np.append(half, np.inf)).clip(max=most - distinct.clip(min=0))
    under = distinct - np.minimum(slack, np.append(np.inf, half)).clip(max=most + distinct.clip(max=0))
    # between neighbours without a number between them, half of the way may be rounded to either
    above[:-1] = np.minimum(above[:-1], np.nextafter(distinct[1:], -np.inf))
    under[1:] = np.clip(under[1:], distinct[:-1], np.nextafter(distinct[1:], -np.inf))
    return above, under


def _slack(values: np.ndarray, low: float, high: float) -> np.ndarray:
    slack: np.ndarray = np.maximum(np.abs(values) * SLACK, high * SLACK_OF_SPAN - low * SLACK_OF_SPAN)
    return slack


def _reach(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the bounds with what still counts as within them."""
    if bounds is None:
        return None
    low, high = map(float, bounds)
    below, above = _slack(np.array(bounds), low, high).tolist()
    return low - below, high + above


def _require(condition: bool, what: str) -> None:  # noqa: FBT001  an assertion that survives python -O
    if not condition:
        raise ValueError(f"bad {what}")


def _text(value: object) -> str:
    _require(isinstance(value, str), "name")
    return str(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError("bad count")
    return value


def _counts(values: list[Any], size: int) -> np.ndarray:
    _require(len(values) == size, "counts")
    return np.array([_count(value) for value in values], dtype=np.int64)


def _sums(values: list[Any], size: int) -> np.ndarray:
    _require(len(values) == size, "cell sums")
    return np.array([np.nan if value is None else _finite(value) for value in values], dtype=np.float64)


def _positions(values: list[Any], size: int) -> np.ndarray:
    positions: np.ndarray = np.array([_count(value) for value in values], dtype=np.intp)
    _require(bool((positions < size).all()) and bool((np.diff(positions) > 0).all()), "positions")
    return positions


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError("bad number")
    return float(value)
