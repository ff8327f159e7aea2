"""What a binary model does at every threshold: errors of both kinds, and what its decisions are worth.

The threshold worth most is found on some rows and must be judged on others: the best of many noisy figures looks better
than it is.
"""

from dataclasses import dataclass

import numpy as np

from vigie.evaluation.metrics import Scores, positive_proba
from vigie.evaluation.value import PER, DecisionValue


@dataclass(frozen=True, slots=True)
class Sweep:
    """Counts at every distinct score, from the strictest threshold to the loosest.

    Attributes:
        thresholds: shape (k,), falling; the first is infinite, where the answer is always no.
        true_positives: shape (k,), rows at or above the threshold that were positive.
        false_positives: shape (k,), rows at or above it that were not.
        n_positive: positive rows in all.
        n_negative: other rows.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray
    n_positive: int
    n_negative: int

    @property
    def recall(self) -> np.ndarray:
        """Share of positives found, also the height of the ROC curve; NaN without positives."""
        return _share(self.true_positives, np.full(len(self.thresholds), self.n_positive))

    @property
    def false_alarm_rate(self) -> np.ndarray:
        """Share of negatives called positive, the abscissa of the ROC curve; NaN without negatives."""
        return _share(self.false_positives, np.full(len(self.thresholds), self.n_negative))

    @property
    def precision(self) -> np.ndarray:
        """Share of rows called positive that are; NaN where none is called so."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    def worth(self, value: DecisionValue) -> np.ndarray:
        """Return the value per thousand decisions at each threshold, shape (k,), in ``value.unit``."""
        missed, spared = self.n_positive - self.true_positives, self.n_negative - self.false_positives
        total = (
            value.true_positive * self.true_positives
            + value.false_positive * self.false_positives
            + value.false_negative * missed
            + value.true_negative * spared
        )
        per_thousand: np.ndarray = PER * total / (self.n_positive + self.n_negative)
        return per_thousand


def sweep(scores: Scores) -> Sweep:
    """Return the counts at every distinct probability of the positive class.

    Args:
        scores: a binary model's, at least one row; class 1 is the positive one.

    Raises:
        ValueError: there is no row or no probability.
    """
    if len(scores) == 0:
        raise ValueError("a sweep needs rows")
    proba, positive = positive_proba(scores), scores.y == 1
    order = np.argsort(-proba, kind="stable")
    ordered = proba[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(positive[order])[last]
    return Sweep(
        thresholds=np.concatenate([[np.inf], ordered[last]]),
        true_positives=np.concatenate([[0], hits]),
        false_positives=np.concatenate([[0], last + 1 - hits]),
        n_positive=int(positive.sum()),
        n_negative=int((~positive).sum()),
    )


def decided(scores: Scores, threshold: float) -> Scores:
    """Return the same rows, called positive where the probability is at or above ``threshold``."""
    predicted = (positive_proba(scores) >= threshold).astype(np.int64)
    return Scores(scores.y, predicted, scores.proba)


def best_threshold(scores: Scores, value: DecisionValue) -> float:
    """Return the threshold at which these rows' decisions are worth most.

    It lies half-way between two scores, so that no row stands on it; infinite when never saying yes is best. Of equals,
    the strictest: an action not taken costs no work.

    Raises:
        ValueError: there is no row.
    """
    found = sweep(scores)
    best = int(np.argmax(found.worth(value)))
    if best == 0:
        return float("inf")
    below = found.thresholds[best + 1] if best + 1 < len(found.thresholds) else 0.0
    return float((found.thresholds[best] + below) / 2)


def break_even(value: DecisionValue) -> float | None:
    """Return the probability above which saying yes pays, if probabilities are right; None if it never or always does.

    Source:
        Elkan (2001), The foundations of cost-sensitive learning.
    """
    gain_if_positive = value.true_positive - value.false_negative
    loss_if_negative = value.true_negative - value.false_positive
    if gain_if_positive <= 0 or loss_if_negative <= 0:
        return None
    return loss_if_negative / (loss_if_negative + gain_if_positive)


def confusion(scores: Scores, n_classes: int) -> np.ndarray:
    """Return counts of rows, shape (n_classes, n_classes): the true class down, the predicted class across."""
    pairs = scores.y.astype(np.intp) * n_classes + scores.predicted.astype(np.intp)
    table: np.ndarray = np.bincount(pairs, minlength=n_classes * n_classes).reshape(n_classes, n_classes)
    return table


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    share: np.ndarray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share
