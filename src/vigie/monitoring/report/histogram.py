"""One column, reference against window, drawn from counts alone: every bar is a sum of cells, so it is exact."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from vigie.monitoring.columns import CategoryColumn, Column, ColumnCounts, NumericColumn
from vigie.monitoring.grid import LevelCounts, NumberCounts
from vigie.monitoring.window_report import FeatureReport
from vigie.reporting.marks import Rows, Scale, bars, chart, dots, line, rows, spans
from vigie.reporting.parts import Figure
from vigie.reporting.theme import FIRST, QUIET
from vigie.reporting.wording import labels, percent

BARS: Final = 24
"""Bars of a histogram, about."""

VALUES: Final = 30
"""A numeric column with no more different cells than this gets a bar for each."""

FARTHEST: Final = 1e150
"""Values that are drawn in their place; beyond that, differences are no numbers any more."""

LEVELS: Final = 12
"""Levels that are drawn; the rest share a line."""


@dataclass(frozen=True, slots=True)
class Binned:
    """Both sides of a numeric column in the same bars.

    Attributes:
        edges: ends of the bars, shape (n_bars + 1,).
        reference: share of known rows in each bar, shape (n_bars,).
        current: the same of the window.
        values: whether a bar stands for one value, rather than for all between its ends.
    """

    edges: np.ndarray
    reference: np.ndarray
    current: np.ndarray
    values: bool


def histogram(
    name: str,
    told: FeatureReport,
    column: Column,
    counts: ColumnCounts,
    *,
    beside: str,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Return one column's figure.

    Args:
        name: of the figure.
        told: what the report says of it.
        column: the reference.
        counts: the window on its grid; may be empty.
        beside: what the reference is, in a few words.
        limits: what no value can be below or above; None where there is nothing of the kind.
    """
    if isinstance(column, NumericColumn) and isinstance(counts, NumberCounts):
        spec, extra = _numeric(column, counts, limits)
    elif isinstance(column, CategoryColumn) and isinstance(counts, LevelCounts):
        spec, extra = _levels(column, counts)
    else:
        raise TypeError("reference and window are of different kinds")
    return Figure(
        name=name,
        title=f"{told.name}: {told.verdict.value}",
        alt=f"Distribution of {told.name} in the window beside that of {beside}. {told.reason}",
        caption=f"Grey: {beside}, n = {column.counts.known:,}. Blue: window, n = {counts.known:,}."
        f"{extra} {told.reason}",
        spec=spec,
    )


def _numeric(
    column: NumericColumn, counts: NumberCounts, limits: tuple[float, float] | None
) -> tuple[dict[str, Any], str]:
    found = binned(column, counts, limits)
    if found is None:
        return chart([], Scale("no value to draw"), Scale(""), height=60), ""
    unit = 1.0 if found.values else np.diff(found.edges)
    steps = _steps(found.edges, found.reference / unit)
    layers = [bars(steps, QUIET, opacity=0.45)]
    if counts.known:
        layers.append(line(_outline(found.edges, found.current / unit), FIRST, step=True))
    outside = ""
    if counts.known and (counts.below or counts.above):
        outside = (
            f" Below training's range {percent(counts.below / counts.known, 1)}, "
            f"above it {percent(counts.above / counts.known, 1)}; the outermost bars hold them."
        )
    upright = Scale("share of rows", zero=True, format="%") if found.values else Scale("density", zero=True)
    ends = steps[0]["x"], steps[-1]["x2"]  # the axis goes no further than the bars
    return chart(layers, Scale("value", domain=ends if ends[0] < ends[1] else None), upright, height=190), outside


def binned(column: NumericColumn, counts: NumberCounts, limits: tuple[float, float] | None = None) -> Binned | None:
    """Return both sides in bars that follow the grid's own edges; None where there is no value to draw.

    The outermost bars hold everything beyond. They are about as wide as the others, but end where no value can be: at
    ``limits``, and at the ends of training's range where the window stays within it.
    """
    edges = np.delete(column.edges, column.spikes)  # the edge just under a spike would make a bar without width
    edges = edges[np.abs(edges) <= FARTHEST]
    if not len(edges):
        return None
    few = len(edges) <= VALUES
    inner = edges if few else _spaced(edges)
    step = float(np.median(np.diff(inner))) if len(inner) > 1 else max(abs(float(inner[0])), 1.0)
    if few:  # a cell ends with the only value it held at training: its bar stands around that value
        middle = (inner[1:] + inner[:-1]) / 2
        ends = np.concatenate([[inner[0] - step / 2], middle, [inner[-1] + step / 2, inner[-1] + step]])
        ends = ends if limits is None else ends.clip(*limits)
    else:
        wide = np.array([inner[0] - step, inner[-1] + step])
        low, high = _range(column, counts, wide if limits is None else wide.clip(*limits))
        inner = inner[(inner - low >= step / 2) & (high - inner >= step / 2)]  # what is narrower joins its neighbour
        ends = np.concatenate([[low], inner, [high]])
    reference, current = (_shares(column.edges, cells, inner) for cells in (column.counts.cells, counts.cells))
    if few and (not current[-1] or ends[-1] == ends[-2]):
        ends, reference, current = ends[:-1], _joined(reference), _joined(current)
    return Binned(ends, reference, current, values=few)


def _joined(shares: np.ndarray) -> np.ndarray:
    """Return shares whose last one is part of the one before."""
    return np.append(shares[:-2], shares[-2:].sum())


def _range(column: NumericColumn, counts: NumberCounts, wide: np.ndarray) -> tuple[float, float]:
    """Return where the outermost bars end, given where they would if they were as wide as the others."""
    low, high = map(float, wide)
    assert column.bounds is not None  # noqa: S101  there are edges; this tells the type checker
    least, most = column.bounds
    if not (counts.below or column.counts.below):  # the reference may be a later window, and go further, too
        low = max(low, least)
    elif least > 0:  # of what is below, nothing says that it is below 0
        low = max(low, 0.0)
    return low, high if counts.above or column.counts.above else min(high, most)


def _spaced(edges: np.ndarray) -> np.ndarray:
    """Return edges of the grid that are about equally far apart, between the 1st and the 99th percentile."""
    low, high = edges[round(0.01 * (len(edges) - 1))], edges[round(0.99 * (len(edges) - 1))]
    wanted = np.linspace(low, high, BARS - 1)
    nearest = np.unique(np.abs(edges[:, None] - wanted[None, :]).argmin(axis=0))
    kept = [edges[nearest[0]]]
    for place in nearest[1:]:
        if edges[place] - kept[-1] >= 0.5 * (wanted[1] - wanted[0]):
            kept.append(edges[place])
    return np.asarray(kept)


def _shares(edges: np.ndarray, cells: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return the share of rows up to each inner edge and beyond the last, from the cells between all edges."""
    ends = np.searchsorted(edges, inner, side="left") + 1
    sums = np.diff(np.concatenate([[0], np.cumsum(cells)[ends - 1], [cells.sum()]]))
    shares: np.ndarray = sums / max(1, int(cells.sum()))
    return shares


def _steps(edges: np.ndarray, heights: np.ndarray) -> Rows:
    return rows(x=edges[:-1], x2=edges[1:], y=heights)


def _outline(edges: np.ndarray, heights: np.ndarray) -> Rows:
    """Return the steps of an outline that begins and ends on the ground."""
    return rows(x=[edges[0], *edges], y=[0.0, *heights, 0.0])


def _levels(column: CategoryColumn, counts: LevelCounts) -> tuple[dict[str, Any], str]:
    """Draw the commonest levels of either side, then all others and the missing as one line each."""
    reference = column.counts.cells / max(1, column.counts.n)
    current = counts.cells / max(1, counts.n)
    n_levels = len(column.levels)
    order = np.argsort(-np.maximum(reference[:n_levels], current[:n_levels]), kind="stable")
    shown, rest = order[:LEVELS], order[LEVELS:]
    names = labels([column.levels[place] for place in shown], 24)
    values = [(name, reference[place], current[place]) for name, place in zip(names, shown, strict=True)]
    others = (reference[rest].sum() + reference[-2], current[rest].sum() + current[-2])
    values += [("all others", *others)] if any(others) else []
    values += [("missing", reference[-1], current[-1])] if reference[-1] or current[-1] else []
    told, then, now = zip(*values, strict=True) if values else ((), (), ())
    layers = [spans(rows(y=told, low=[0.0] * len(told), high=then), QUIET, width=12)]
    if counts.n:
        layers.append(dots(rows(y=told, x=now), FIRST, size=60))
    scale = Scale("share of rows", zero=True, format="%")
    return chart(layers, scale, Scale("", kind="nominal", order=told), height=40 + 22 * len(told)), ""
