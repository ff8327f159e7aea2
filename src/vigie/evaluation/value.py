"""What decisions are worth in money, or in any unit its owner counts in."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from vigie.domain.measurement import Interval, Measurement
from vigie.evaluation.intervals import LEVEL, alike_interval, are_alike
from vigie.evaluation.metrics import Scores

PER = 1000
"""Decisions that a reported value speaks of."""


@dataclass(frozen=True, slots=True)
class DecisionValue:
    """What one decision of a binary model brings (above zero) or costs (below), by what turned out to be true."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float
    unit: str

    @property
    def reach(self) -> tuple[float, float]:
        """The least and the most that one decision is worth."""
        worth = (self.true_positive, self.false_positive, self.false_negative, self.true_negative)
        return min(worth), max(worth)

    def per_row(self, scores: Scores) -> np.ndarray:
        """Return what each decision was worth, in ``unit``.

        Args:
            scores: ``y`` and ``predicted`` are class indices, 1 being the positive class.

        Returns:
            Shape (n,).
        """
        table = np.array([[self.true_negative, self.false_positive], [self.false_negative, self.true_positive]])
        worth: np.ndarray = table[(scores.y == 1).astype(np.intp), (scores.predicted == 1).astype(np.intp)]
        return worth


def value_per_thousand(scores: Scores, value: DecisionValue, level: float = LEVEL) -> Measurement:
    """Return what a thousand decisions are worth, with a normal interval of the mean.

    Where every decision was worth the same, the interval is that of decisions that were never seen to differ.

    Args:
        scores: rows with a known outcome; ``y`` and ``predicted`` are class indices, 1 being the positive class.
        value: the worth of each of the four cases.
        level: coverage of the interval, in (0, 1). It takes rows as independent.
    """
    n, unit = len(scores), f"{value.unit}/{PER}"
    if n == 0:
        return Measurement("value", None, unit, 0, reason="No decision has a known outcome yet.")
    worth = value.per_row(scores) * PER
    mean = float(worth.mean())
    if n == 1:
        return Measurement("value", mean, unit, n, reason="One decision gives no interval.")
    if are_alike(worth):
        least, most = value.reach
        return Measurement("value", mean, unit, n, interval=alike_interval(mean, (least * PER, most * PER), n, level))
    half = float(norm.ppf((1 + level) / 2)) * float(worth.std(ddof=1)) / float(np.sqrt(n))
    return Measurement("value", mean, unit, n, interval=Interval(mean - half, mean + half, level))
