"""Mean and spread of a column, from sums that were taken around the reference's mean."""

from math import sqrt
from typing import NamedTuple

from vigie.domain.measurement import finite
from vigie.monitoring.columns import NumericColumn
from vigie.monitoring.grid import NumberCounts


class Moments(NamedTuple):
    """Of the finite values: their mean, and the standard deviation around it (population form)."""

    mean: float
    sd: float


def moments_of(column: NumericColumn, counts: NumberCounts) -> Moments | None:
    """Return mean and spread of a sample, None where they do not exist or overflow.

    Args:
        column: whose mean the sums were taken around.
        counts: the sample, the reference's own counts or a window's.
    """
    if not counts.finite:
        return None
    shift = counts.total / counts.finite
    variance = counts.squares / counts.finite - shift * shift
    mean = (column.mean or 0.0) + shift
    if finite(mean) is None or finite(variance) is None:
        return None
    return Moments(mean, sqrt(max(0.0, variance)))
