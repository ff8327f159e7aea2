"""Which statistics are reported for which kind of column, and in which unit. Reported only: nothing here alarms."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vigie.domain.measurement import Interval, Measurement, finite
from vigie.evaluation.intervals import LEVEL
from vigie.monitoring.cells import coarse_cells, compare
from vigie.monitoring.columns import Column, ColumnCounts, NumericColumn
from vigie.monitoring.drift.chi_square import chi_square, chi_square_p
from vigie.monitoring.drift.g_test import g_statistic
from vigie.monitoring.drift.jensen_shannon import jensen_shannon
from vigie.monitoring.drift.ks import kolmogorov_smirnov, kolmogorov_smirnov_p
from vigie.monitoring.drift.moments import moments_of
from vigie.monitoring.drift.psi import (
    corrected_stability_index,
    population_stability_index,
    stability_band,
    stability_interval,
)
from vigie.monitoring.drift.wasserstein import CellSums, wasserstein
from vigie.monitoring.grid import NumberCounts

NUMERIC, CATEGORY = "numeric", "category"

Compute = Callable[[Column, ColumnCounts], float | None]


@dataclass(frozen=True, slots=True)
class Statistic:
    """One reported statistic.

    Attributes:
        name: as reports write it.
        unit: ``nats``, ``1`` for a share, a distance or a p-value, ``sd`` for standard deviations of the reference,
            ``feature`` for the column's own unit.
        kinds: where it applies.
        compute: from the reference and a window with at least one known row each; None where it has no value.
        explain: a few words on the value, for a reader.
        interval: the value's uncertainty, where it has one.
    """

    name: str
    unit: str
    kinds: frozenset[str]
    compute: Compute
    explain: Callable[[float, Column], str] | None = None
    interval: Callable[[Column, ColumnCounts], Interval | None] | None = None


def describe(column: Column, counts: ColumnCounts) -> tuple[Measurement, ...]:
    """Return every statistic that applies to a column, None with a reason where a side has no known row.

    Args:
        column: the reference.
        counts: a window on its grid; may be empty.
    """
    kind = NUMERIC if isinstance(column, NumericColumn) else CATEGORY
    applying = (statistic for statistic in STATISTICS.values() if kind in statistic.kinds)
    if counts.known > 0 and column.counts.known > 0:
        return tuple(_measured(statistic, column, counts) for statistic in applying)
    reason = f"The {'window' if column.counts.known else 'reference'} holds no value of this column."
    return tuple(
        Measurement(statistic.name, None, statistic.unit, counts.known, subject=column.name, reason=reason)
        for statistic in applying
    )


def _measured(statistic: Statistic, column: Column, counts: ColumnCounts) -> Measurement:
    value = finite(statistic.compute(column, counts))
    known = value is not None
    return Measurement(
        statistic.name,
        value,
        statistic.unit,
        counts.known,
        subject=column.name,
        interval=statistic.interval(column, counts) if statistic.interval and known else None,
        reason=statistic.explain(value, column) if statistic.explain and value is not None else "",
    )


def _bins(column: Column, counts: ColumnCounts) -> tuple[np.ndarray, np.ndarray]:
    """Return what the stability index compares: known rows on the deciles, or on every level either side holds."""
    if isinstance(column, NumericColumn):
        return coarse_cells(column.counts.cells, column.deciles), coarse_cells(counts.cells, column.deciles)
    reference, current = column.counts.cells[:-1], counts.cells[:-1]
    used = (reference + current) > 0
    return reference[used], current[used]


def _psi(column: Column, counts: ColumnCounts) -> float:
    return population_stability_index(*_bins(column, counts))


def _psi_corrected(column: Column, counts: ColumnCounts) -> float:
    return corrected_stability_index(*_bins(column, counts))


def _ks(column: Column, counts: ColumnCounts) -> float:
    return kolmogorov_smirnov(column.counts.cells, counts.cells)


def _ks_p(column: Column, counts: ColumnCounts) -> float:
    return kolmogorov_smirnov_p(_ks(column, counts), counts.known, column.counts.known)


def _chi_square(column: Column, counts: ColumnCounts) -> float:
    cells = compare(column, counts)
    return chi_square(cells.reference, cells.current)[0]


def _chi_square_p(column: Column, counts: ColumnCounts) -> float:
    cells = compare(column, counts)
    return chi_square_p(*chi_square(cells.reference, cells.current))


def _g(column: Column, counts: ColumnCounts) -> float:
    cells = compare(column, counts)
    return g_statistic(cells.reference, cells.current)


def _jensen_shannon(column: Column, counts: ColumnCounts) -> float:
    return jensen_shannon(*_bins(column, counts))


def _psi_interval(column: Column, counts: ColumnCounts) -> Interval | None:
    bins = _bins(column, counts)
    return stability_interval(*bins, level=LEVEL) if len(bins[0]) > 1 else None


def _wasserstein(column: Column, counts: ColumnCounts) -> float | None:
    if not isinstance(column, NumericColumn) or not isinstance(counts, NumberCounts):
        return None
    reference, own = column.counts, moments_of(column, column.counts)
    if own is None or not own.sd or counts.finite != counts.known or reference.finite != reference.known:
        return None  # an infinite value is infinitely far away
    edges = column.edges - (column.mean or 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # beyond 1e308 there is no value to tell
        moved = wasserstein(CellSums(reference.cells, reference.sums), CellSums(counts.cells, counts.sums), edges)
    return moved / own.sd


def _mean(column: Column, counts: ColumnCounts) -> float | None:
    if isinstance(column, NumericColumn) and isinstance(counts, NumberCounts) and counts.finite:
        return (column.mean or 0.0) + counts.total / counts.finite
    return None


def _mean_shift(column: Column, counts: ColumnCounts) -> float | None:
    mean = _mean(column, counts)
    own = moments_of(column, column.counts) if isinstance(column, NumericColumn) else None
    return None if mean is None or own is None or not own.sd else (mean - own.mean) / own.sd


def _sd_ratio(column: Column, counts: ColumnCounts) -> float | None:
    if not isinstance(column, NumericColumn) or not isinstance(counts, NumberCounts):
        return None
    own, now = moments_of(column, column.counts), moments_of(column, counts)
    return None if own is None or now is None or not own.sd else now.sd / own.sd


def _explain_band(index: float, _: Column) -> str:
    return f"Classical band: {stability_band(index)}."


def _explain_mean(_: float, column: Column) -> str:
    own = moments_of(column, column.counts) if isinstance(column, NumericColumn) else None
    return f"{own.mean:.6g} in the reference." if own else ""


def _explain_spread(_: float, column: Column) -> str:
    own = moments_of(column, column.counts) if isinstance(column, NumericColumn) else None
    return f"Standard deviation, {own.sd:.6g} in the reference." if own else ""


def _explain_moved(value: float, column: Column) -> str:
    own = moments_of(column, column.counts) if isinstance(column, NumericColumn) else None
    return f"{value * own.sd:.6g} in the column's own unit, at least." if own else ""


_BOTH, _NUMERIC = frozenset({NUMERIC, CATEGORY}), frozenset({NUMERIC})

STATISTICS: dict[str, Statistic] = {
    statistic.name: statistic
    for statistic in (
        Statistic("psi", "nats", _BOTH, _psi, interval=_psi_interval),
        Statistic("psi_corrected", "nats", _BOTH, _psi_corrected, _explain_band),
        Statistic("ks", "1", _NUMERIC, _ks),
        Statistic("ks_p", "1", _NUMERIC, _ks_p),
        Statistic("chi_square", "1", _BOTH, _chi_square),
        Statistic("chi_square_p", "1", _BOTH, _chi_square_p),
        Statistic("g", "1", _BOTH, _g),
        Statistic("jensen_shannon", "1", _BOTH, _jensen_shannon),
        Statistic("wasserstein", "sd", _NUMERIC, _wasserstein, _explain_moved),
        Statistic("mean", "feature", _NUMERIC, _mean, _explain_mean),
        Statistic("mean_shift", "sd", _NUMERIC, _mean_shift),
        Statistic("sd_ratio", "1", _NUMERIC, _sd_ratio, _explain_spread),
    )
}
"""Every statistic by name, in the order reports show them."""
