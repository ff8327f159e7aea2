"""Which statistics are reported for which kind of column, and in which unit. Reported only: nothing here alarms."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vigie.domain.measurement import Interval, Measurement, finite
from vigie.evaluation.intervals import LEVEL
from vigie.monitoring.columns import Column, ColumnCounts, NumericColumn
from vigie.monitoring.drift.chi_square import chi_square_p
from vigie.monitoring.drift.g_test import g_statistic
from vigie.monitoring.drift.jensen_shannon import jensen_shannon
from vigie.monitoring.drift.ks import kolmogorov_smirnov_p
from vigie.monitoring.drift.pair import Pair
from vigie.monitoring.drift.psi import corrected_stability_index, stability_band, stability_interval
from vigie.monitoring.drift.wasserstein import CellSums, wasserstein

NUMERIC, CATEGORY = "numeric", "category"

Compute = Callable[[Pair], float | None]


@dataclass(frozen=True, slots=True)
class Statistic:
    """One reported statistic.

    Attributes:
        name: as reports write it.
        unit: ``nats``, ``1`` for a share, a distance or a p-value, ``sd`` for standard deviations of the reference,
            ``feature`` for the column's own unit.
        kinds: where it applies.
        compute: from a reference and a window with at least one known row each; None where it has no value.
        explain: a few words on the value, for a reader.
        interval: the value's uncertainty, where it has one.
    """

    name: str
    unit: str
    kinds: frozenset[str]
    compute: Compute
    explain: Callable[[float, Pair], str] | None = None
    interval: Callable[[Pair], Interval | None] | None = None


def describe(column: Column, counts: ColumnCounts) -> tuple[Measurement, ...]:
    """Return every statistic that applies to a column, None with a reason where a side has no known row.

    Args:
        column: the reference.
        counts: a window on its grid; may be empty.
    """
    applying = _APPLYING[NUMERIC if isinstance(column, NumericColumn) else CATEGORY]
    pair = Pair(column, counts)
    if pair.n > 0 and pair.m > 0:
        return tuple(_measured(statistic, pair) for statistic in applying)
    reason = f"The {'window' if pair.m else 'reference'} holds no value of this column."
    return tuple(
        Measurement(statistic.name, None, statistic.unit, pair.n, subject=column.name, reason=reason)
        for statistic in applying
    )


def _measured(statistic: Statistic, pair: Pair) -> Measurement:
    value = finite(statistic.compute(pair))
    known = value is not None
    return Measurement(
        statistic.name,
        value,
        statistic.unit,
        pair.n,
        subject=pair.column.name,
        interval=statistic.interval(pair) if statistic.interval and known else None,
        reason=statistic.explain(value, pair) if statistic.explain and value is not None else "",
    )


def _psi(pair: Pair) -> float:
    return pair.stability_index


def _psi_corrected(pair: Pair) -> float:
    return corrected_stability_index(pair.stability_index, pair.samples)


def _psi_interval(pair: Pair) -> Interval | None:
    """Return the interval of the populations' index: what the corrected one estimates, and the plain one overstates.

    It reaches down to an estimate below 0, as calm columns have: a wider interval covers no less.
    """
    if pair.samples.n_bins < 2:  # a single bin cannot move
        return None
    found = stability_interval(pair.stability_index, pair.samples, level=LEVEL)
    return replace(found, low=min(found.low, _psi_corrected(pair)))


def _ks(pair: Pair) -> float:
    return pair.largest_gap


def _ks_p(pair: Pair) -> float:
    return kolmogorov_smirnov_p(pair.largest_gap, pair.n, pair.m)


def _chi_square(pair: Pair) -> float:
    return pair.homogeneity[0]


def _chi_square_p(pair: Pair) -> float:
    return chi_square_p(*pair.homogeneity)


def _g(pair: Pair) -> float:
    return g_statistic(pair.comparison.reference, pair.comparison.current)


def _jensen_shannon(pair: Pair) -> float:
    return jensen_shannon(*pair.bins)


def _wasserstein(pair: Pair) -> float | None:
    if pair.numbers is None or pair.then is None or not pair.then.sd:
        return None
    column, counts = pair.numbers
    reference = column.counts
    if counts.finite != pair.n or reference.finite != pair.m:
        return None  # an infinite value is infinitely far away
    edges = column.edges - (column.mean or 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # beyond 1e308 there is no value to tell
        moved = wasserstein(CellSums(reference.cells, reference.sums), CellSums(counts.cells, counts.sums), edges)
    return moved / pair.then.sd


def _mean(pair: Pair) -> float | None:
    if pair.numbers is None:
        return None
    column, counts = pair.numbers
    return (column.mean or 0.0) + counts.total / counts.finite if counts.finite else None


def _mean_shift(pair: Pair) -> float | None:
    mean, then = _mean(pair), pair.then
    return None if mean is None or then is None or not then.sd else (mean - then.mean) / then.sd


def _sd_ratio(pair: Pair) -> float | None:
    now, then = pair.now, pair.then
    return None if now is None or then is None or not then.sd else now.sd / then.sd


def _explain_band(index: float, _: Pair) -> str:
    return f"Classical band: {stability_band(index)}."


def _explain_mean(_: float, pair: Pair) -> str:
    return f"{pair.then.mean:.6g} in the reference." if pair.then else ""


def _explain_spread(_: float, pair: Pair) -> str:
    return f"Standard deviation, {pair.then.sd:.6g} in the reference." if pair.then else ""


def _explain_moved(value: float, pair: Pair) -> str:
    return f"{value * pair.then.sd:.6g} in the column's own unit, at least." if pair.then else ""


_BOTH, _NUMERIC = frozenset({NUMERIC, CATEGORY}), frozenset({NUMERIC})

STATISTICS: dict[str, Statistic] = {
    statistic.name: statistic
    for statistic in (
        Statistic("psi", "nats", _BOTH, _psi),
        Statistic("psi_corrected", "nats", _BOTH, _psi_corrected, _explain_band, _psi_interval),
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

_APPLYING = {
    kind: tuple(statistic for statistic in STATISTICS.values() if kind in statistic.kinds)
    for kind in (NUMERIC, CATEGORY)
}
