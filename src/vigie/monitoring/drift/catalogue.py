"""Which statistics are reported for which kind of column, and in which unit. Reported only: nothing here alarms."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vigie.domain.measurement import Measurement, finite
from vigie.monitoring.cells import coarse_cells, compare
from vigie.monitoring.columns import Column, ColumnCounts, NumericColumn
from vigie.monitoring.drift.chi_square import chi_square, chi_square_p
from vigie.monitoring.drift.ks import kolmogorov_smirnov, kolmogorov_smirnov_p
from vigie.monitoring.drift.psi import corrected_stability_index, population_stability_index, stability_band
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
    """

    name: str
    unit: str
    kinds: frozenset[str]
    compute: Compute
    explain: Callable[[float, Column], str] | None = None


def describe(column: Column, counts: ColumnCounts) -> tuple[Measurement, ...]:
    """Return every statistic that applies to a column, None with a reason where a side has no known row.

    Args:
        column: the reference.
        counts: a window on its grid; may be empty.
    """
    kind = NUMERIC if isinstance(column, NumericColumn) else CATEGORY
    comparable = counts.known > 0 and column.counts.known > 0
    side = "window" if column.counts.known else "reference"
    measured = []
    for statistic in STATISTICS.values():
        if kind in statistic.kinds:
            value = finite(statistic.compute(column, counts)) if comparable else None
            reason = f"The {side} holds no value of this column." if not comparable else ""
            if value is not None and statistic.explain:
                reason = statistic.explain(value, column)
            measured.append(
                Measurement(statistic.name, value, statistic.unit, counts.known, subject=column.name, reason=reason)
            )
    return tuple(measured)


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


def _mean(column: Column, counts: ColumnCounts) -> float | None:
    if isinstance(column, NumericColumn) and isinstance(counts, NumberCounts) and counts.finite:
        return (column.mean or 0.0) + counts.total / counts.finite
    return None


def _mean_shift(column: Column, counts: ColumnCounts) -> float | None:
    mean = _mean(column, counts)
    if mean is None or not isinstance(column, NumericColumn) or column.mean is None or not column.variance:
        return None
    return float((mean - column.mean) / np.sqrt(column.variance))


def _explain_band(index: float, _: Column) -> str:
    return f"Classical band: {stability_band(index)}."


def _explain_mean(_: float, column: Column) -> str:
    if isinstance(column, NumericColumn) and column.mean is not None:
        return f"{column.mean:.6g} in the reference."
    return ""


_BOTH, _NUMERIC = frozenset({NUMERIC, CATEGORY}), frozenset({NUMERIC})

STATISTICS: dict[str, Statistic] = {
    statistic.name: statistic
    for statistic in (
        Statistic("psi", "nats", _BOTH, _psi),
        Statistic("psi_corrected", "nats", _BOTH, _psi_corrected, _explain_band),
        Statistic("ks", "1", _NUMERIC, _ks),
        Statistic("ks_p", "1", _NUMERIC, _ks_p),
        Statistic("chi_square", "1", _BOTH, _chi_square),
        Statistic("chi_square_p", "1", _BOTH, _chi_square_p),
        Statistic("mean", "feature", _NUMERIC, _mean, _explain_mean),
        Statistic("mean_shift", "sd", _NUMERIC, _mean_shift),
    )
}
"""Every statistic by name, in the order reports show them."""
