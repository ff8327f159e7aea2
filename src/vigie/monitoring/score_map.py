"""CBPE: the performance of a classifier from its own probabilities, once these have been calibrated.

If a calibrated probability is the share of such rows in which the class comes true, every metric has an expected value
without any outcome: the metric's per-row terms under each class, weighted by that class's probability.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.optimize import isotonic_regression

from vigie.domain.task import Task
from vigie.evaluation.intervals import gradient
from vigie.evaluation.metrics import METRICS, Metric, Scores, metrics_for
from vigie.evaluation.value import PER, DecisionValue
from vigie.monitoring.expected import Answers, Expected


@dataclass(frozen=True, slots=True, eq=False)
class ScoreMap:
    """What a score of one class is worth: a rising broken line, level within each block of scores.

    Attributes:
        scores: knots, rising, shape (k,).
        shares: of the reference rows at each knot in which the class came true, shape (k,), never falling.
        rows: of the reference in the block that each knot belongs to, shape (k,).
    """

    scores: np.ndarray
    shares: np.ndarray
    rows: np.ndarray

    def __post_init__(self) -> None:
        """Refuse what is no map."""
        rising = np.all(np.diff(self.scores) > 0) and np.all(np.diff(self.shares) >= 0)
        sizes = {len(self.scores), len(self.shares), len(self.rows)}
        known = np.isfinite(self.scores).all() and np.isfinite(self.shares).all() and np.isfinite(self.rows).all()
        if len(sizes) != 1 or not len(self.scores) or not rising or not known or self.rows.min() < 1:
            raise ValueError("the knots of a score map do not rise, or are not complete")
        if self.shares[0] < 0 or self.shares[-1] > 1:
            raise ValueError("a score map holds a share outside [0, 1]")

    def calibrated(self, scores: np.ndarray) -> np.ndarray:
        """Return the share that goes with each score, shape (n,); beyond the ends, that of the end."""
        found: np.ndarray = np.interp(scores, self.scores, self.shares)
        return found

    def variance(self, scores: np.ndarray, slopes: np.ndarray) -> float:
        """Return the variance that the reference's finite size gives to a function of the shares.

        Args:
            scores: of the rows, shape (n,).
            slopes: of the function in each row's share, shape (n,).
        """
        right = np.clip(np.searchsorted(self.scores, scores), 1, max(1, len(self.scores) - 1)) % len(self.scores)
        left = np.maximum(right - 1, 0)
        width = self.scores[right] - self.scores[left]
        part = np.divide(scores - self.scores[left], width, out=np.zeros(len(scores)), where=width > 0).clip(0, 1)
        size = len(self.scores)
        on_knots = np.bincount(left, slopes * (1 - part), size) + np.bincount(right, slopes * part, size)
        _, block = np.unique(self.shares, return_inverse=True)
        on_blocks = np.bincount(block, on_knots)
        first = np.unique(block, return_index=True)[1]
        rows = self.rows[first]
        share = (self.shares[first] * rows + 1) / (rows + 2)  # a block in which nothing came true is not certain
        return float(np.square(on_blocks) @ (share * (1 - share) / rows))


def fit_score_map(scores: np.ndarray, happened: np.ndarray) -> ScoreMap:
    """Return the isotonic map of scores to shares.

    Args:
        scores: of one class, shape (n,), at least one, of rows that the model had not learnt from.
        happened: whether the class came true, shape (n,).

    Source:
        Zadrozny and Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates; the
        lines between blocks are those of scikit-learn's ``IsotonicRegression``.
    """
    levels, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=happened.astype(np.float64)) / counts
    found = isotonic_regression(means, weights=counts)
    starts, ends = found.blocks[:-1], found.blocks[1:] - 1
    knots = np.unique(np.concatenate([starts, ends]))
    block = np.searchsorted(starts, knots, side="right") - 1
    rows = np.add.reduceat(counts, starts)
    return ScoreMap(levels[knots], np.clip(found.x[knots], 0.0, 1.0), rows[block].astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class ScoreMaps:
    """A map per class; for two classes, that of the positive one alone.

    With more classes each map sees its own class's score alone, and the shares are then divided by their sum. That
    flatters a little, by up to one ``error`` on references of a thousand rows; two classes have no such bias.
    """

    maps: tuple[ScoreMap, ...]

    @classmethod
    def fit(cls, scores: Scores) -> Self:
        """Fit on rows that the model had not learnt from.

        Raises:
            ValueError: there are no probabilities.
        """
        if scores.proba is None:
            raise ValueError("a score map needs probabilities")
        classes = [1] if scores.proba.shape[1] == 2 else range(scores.proba.shape[1])
        return cls(tuple(fit_score_map(scores.proba[:, place], scores.y == place) for place in classes))

    def expect(self, answers: Answers, task: Task, value: DecisionValue | None) -> dict[str, Expected]:
        """Return every metric of the task that can be expected, by name, and the decisions' value where one is given.

        Average precision is left out: it has no expected value in closed form.

        Args:
            answers: at least one row, with probabilities.
            task: which metrics apply.
            value: worth of the four cases of a binary decision.

        Source:
            Bialek, Kuberski, Perrakis and Bifet (2024), Estimating model performance under covariate shift without
            labels (CBPE), arXiv 2401.08348.
        """
        shares = self._shares(answers)
        found = {
            metric.name: self._mean_metric(metric, answers, shares)
            for metric in metrics_for(task)
            if metric.terms is not None
        }
        if task is Task.BINARY:
            found["roc_auc"] = self._roc_auc(answers, shares[:, 1])
        if value is not None:
            worth = np.column_stack([value.per_row(_as_if(answers, y)) * PER for y in range(2)])
            found["value"] = self._expected("value", f"{value.unit}/{PER}", answers, shares, worth)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"maps": [{name: getattr(item, name).tolist() for name in _FIELDS} for item in self.maps]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            ValueError: it is no set of maps.
        """
        maps = [ScoreMap(*(np.asarray(item[name], dtype=np.float64) for name in _FIELDS)) for item in data["maps"]]
        if len(maps) == 2 or not maps:
            raise ValueError("score maps are one for two classes, else one per class")
        return cls(tuple(maps))

    def _shares(self, answers: Answers) -> np.ndarray:
        """Return calibrated probabilities, shape (n, n_classes), adding up to 1."""
        proba = _proba(answers)
        if len(self.maps) == 1:
            positive = self.maps[0].calibrated(proba[:, 1])
            return np.column_stack([1 - positive, positive])
        raw = np.column_stack([item.calibrated(proba[:, place]) for place, item in enumerate(self.maps)])
        total = raw.sum(axis=1, keepdims=True)
        shares: np.ndarray = np.where(total > 0, raw / np.where(total > 0, total, 1.0), proba)
        return shares

    def _mean_metric(self, metric: Metric, answers: Answers, shares: np.ndarray) -> Expected:
        assert metric.terms is not None  # noqa: S101  callers checked; this tells the type checker
        assert metric.combine is not None  # noqa: S101  the same
        terms = [metric.terms(_as_if(answers, y)) for y in range(shares.shape[1])]
        weighted = zip(shares.T, terms, strict=True)
        means = np.sum([(share[:, None] * term).mean(axis=0) for share, term in weighted], axis=0)
        slope = gradient(metric, means)
        along = np.column_stack([term @ slope for term in terms])
        return Expected(metric.name, metric.unit, metric.combine(means), self._error(answers, shares, along))

    def _expected(self, name: str, unit: str, answers: Answers, shares: np.ndarray, worth: np.ndarray) -> Expected:
        mean = float((shares * worth).sum(axis=1).mean())
        return Expected(name, unit, mean, self._error(answers, shares, worth))

    def _roc_auc(self, answers: Answers, positive: np.ndarray) -> Expected:
        """Return the expected ROC-AUC, ties counting half; NaN where one class is not expected at all."""
        _, place = np.unique(_proba(answers)[:, 1], return_inverse=True)
        yes, no = np.bincount(place, positive), np.bincount(place, 1 - positive)
        below, above = (np.cumsum(no) - no / 2)[place], (yes.sum() - np.cumsum(yes) + yes / 2)[place]
        pairs = float(yes.sum() * no.sum())
        metric = METRICS["roc_auc"]
        if pairs <= 0:
            return Expected(metric.name, metric.unit, float("nan"), float("nan"))
        value = float(positive @ below) / pairs
        slopes = (below - above - value * (no.sum() - yes.sum())) / pairs
        along = np.column_stack([np.zeros(len(answers)), slopes * len(answers)])
        shares = np.column_stack([1 - positive, positive])
        return Expected(metric.name, metric.unit, value, self._error(answers, shares, along))

    def _error(self, answers: Answers, shares: np.ndarray, along: np.ndarray) -> float:
        """Return the standard deviation of a metric whose value moves by ``along / n`` when a row is of a class."""
        n = len(answers)
        mean = (shares * along).sum(axis=1)
        by_chance = float((shares * np.square(along)).sum() - np.square(mean).sum()) / n**2
        proba = _proba(answers)
        if len(self.maps) == 1:
            by_map = self.maps[0].variance(proba[:, 1], (along[:, 1] - along[:, 0]) / n)
        else:  # the shares are divided by their sum, so that only what a class has over the mean counts
            each = enumerate(self.maps)
            by_map = sum(item.variance(proba[:, place], (along[:, place] - mean) / n) for place, item in each)
        return float(np.sqrt(max(by_chance, 0.0) + by_map))


_FIELDS = ("scores", "shares", "rows")


def _proba(answers: Answers) -> np.ndarray:
    if answers.proba is None:
        raise ValueError("these answers hold no probabilities")
    return answers.proba


def _as_if(answers: Answers, y: int) -> Scores:
    """Return the answers as they would be scored if every row were of class ``y``."""
    return Scores(np.full(len(answers), y, dtype=np.int64), answers.predicted, answers.proba)
