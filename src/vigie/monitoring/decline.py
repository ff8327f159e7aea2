"""Whether a metric fell below what was promised: a confidence sequence begun at every look, each with its own share.

A sequence begun at the first look alone would need as long to notice a change as the model had been good before; one
look at a time forgets what the looks before it had almost shown. So each look begins a sequence of its own, and spends
its own part of the budget: the probability that any of them ever alarms while the model is as good as it promised stays
within the budget, at any number of looks. The promise was measured on a sample too: its uncertainty is bought once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.stats import norm

from vigie.domain.measurement import Measurement
from vigie.evaluation.sequences import bound

SEEN: Final = 1.96
"""Standard errors that a loss taken by itself exceeds by chance once in forty times."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric on one sample: value, standard error, rows."""

    value: float
    error: float
    n: int


@dataclass(frozen=True, slots=True)
class Decline:
    """The stretch of looks that speaks most against a metric.

    Attributes:
        metric: its name.
        looks: how many looks the stretch has; the last one is the present.
        n: outcomes in them.
        value: the metric's mean over them, weighted by outcomes.
        promised: what was promised.
        loss: by how much it is worse, in the metric's unit; below zero where it is better.
        chance: what ``loss`` ever exceeds by chance, with the probability that the budget grants.
        allowed: the loss that does not matter.
        error: standard error of ``loss``, taken by itself: as if this were the only look.
    """

    metric: str
    looks: int
    n: int
    value: float
    promised: float
    loss: float
    chance: float
    allowed: float
    error: float

    @property
    def established(self) -> bool:
        """Whether it is worse than promised by more than chance explains and by more than does not matter."""
        return self.loss > max(self.chance, self.allowed)

    @property
    def is_doubtful(self) -> bool:
        """Whether this stretch by itself would say that it is worse, and who looks again and again cannot tell yet."""
        return not self.established and self.loss > max(self.allowed, SEEN * self.error)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"established": self.established}


@dataclass(frozen=True, slots=True)
class Promise:
    """What a metric is held against.

    Attributes:
        metric: its name.
        point: its value on rows that the model had not learnt from.
        greater_is_better: its direction.
        allowed: loss that does not matter, in the metric's unit.
        alpha: probability of ever alarming while the promise is kept.
        least: outcomes in the smallest look that is judged; the sequences are the sharpest there.
    """

    metric: str
    point: Point
    greater_is_better: bool
    allowed: float
    alpha: float
    least: int


def point_of(measurement: Measurement | None) -> Point | None:
    """Return a measurement as a point; None where it has no value or no interval.

    The error comes from the interval's longer side: the other may be cut at 0 or 1.
    """
    if measurement is None or measurement.value is None or measurement.interval is None:
        return None
    low, high, level = measurement.interval.low, measurement.interval.high, measurement.interval.level
    longer = max(measurement.value - low, high - measurement.value)
    return Point(measurement.value, longer / float(norm.ppf((1 + level) / 2)), measurement.n)


def find_decline(looks: Sequence[Point], promise: Promise, *, before: int) -> Decline:
    """Return the stretch of looks, ending now, that speaks most against the promise.

    Args:
        looks: the metric on the outcomes of each look since the last alarm, oldest first, at least one; no outcome is
            in two looks. The bound leans on the central limit theorem within a look: give it looks of a hundred rows
            or more.
        promise: what it is held against.
        before: looks that were judged before the first of ``looks``; each has spent its part.

    Source:
        Shin, Ramdas and Rinaldo (2024), E-detectors, for sequences begun at every time; the union bound over their
        beginnings, 6 / (pi² k²) each, is what keeps the probability of *ever* alarming instead of the run length.
    """
    n = np.array([look.n for look in looks], dtype=np.float64)
    value = np.array([look.value for look in looks])
    rows = _from_each_on(n)
    mean = _from_each_on(n * value) / rows
    variance = _from_each_on(np.square(n * [look.error for look in looks]))
    sign = -1.0 if promise.greater_is_better else 1.0
    reference = promise.point
    loss = sign * (mean - reference.value)
    share = promise.alpha / 2 * 6 / np.square(np.pi * (before + 1 + np.arange(len(looks))))
    # a promise without spread says nothing of the variance to come: then the present one must do
    tuned_at = reference.error**2 * reference.n * promise.least or float(variance.max()) or 1.0
    uncertain = float(norm.isf(promise.alpha / 2)) * reference.error
    chance = bound(variance, alpha=share, tuned_at=tuned_at) / rows + uncertain
    first = int(np.argmax(loss - np.maximum(chance, promise.allowed)))
    return Decline(
        metric=promise.metric,
        looks=len(looks) - first,
        n=int(rows[first]),
        value=float(mean[first]),
        promised=reference.value,
        loss=float(loss[first]),
        chance=float(chance[first]),
        allowed=promise.allowed,
        error=float(np.hypot(np.sqrt(variance[first]) / rows[first], reference.error)),
    )


def _from_each_on(terms: np.ndarray) -> np.ndarray:
    """Return the sum of the terms from each one to the last, shape (k,)."""
    sums: np.ndarray = np.cumsum(terms[::-1])[::-1]
    return sums
